/**
 * The only file that knows LiveKit; a chunk of its own, fetched while the visitor reads. It follows
 * the conventions of livekit-agents, so that workers need no changes for this window.
 */
import {
  ConnectionError,
  ConnectionErrorReason,
  ConnectionState,
  DisconnectReason,
  getLogger,
  Room as LiveKitRoom,
  LocalAudioTrack,
  type LocalTrack,
  LoggerNames,
  type RemoteParticipant,
  type RemoteTrack,
  RoomEvent,
  RpcError,
  Track,
  TrackEvent,
} from 'livekit-client';
import { type AudioMeter, createAudioMeter } from './audio-meter';
import { JoinError, type JoinProblem } from './conversation/join-problem';
import type { JoinRoom } from './conversation/room';
import type { AgentState } from './conversation/window-state';

export { RoomTalk } from './conversation/room-talk';

/** LiveKit's code for a method that the other side has not registered. */
const UNSUPPORTED_METHOD = 1400;
/** How long after its page was left a room that still runs counts as closed, in milliseconds. */
const PAGE_RETURN_DELAY = 1_000;
/** How long one attempt to connect may take, in milliseconds. */
const SIGNAL_TIMEOUT = 8_000;
const PEER_TIMEOUT = 12_000;

// The console belongs to the page. Set as a default, because LiveKit stores a level that is set.
for (const name of Object.values(LoggerNames)) getLogger(name).setDefaultLevel('silent');

/** LiveKit's reasons to end the visit of somebody who did not ask for it. */
const REMOVALS: readonly (DisconnectReason | undefined)[] = [
  DisconnectReason.DUPLICATE_IDENTITY,
  DisconnectReason.PARTICIPANT_REMOVED,
  DisconnectReason.ROOM_CLOSED,
  DisconnectReason.ROOM_DELETED,
];

function joinProblemOf(error: unknown, hasSignal: boolean): JoinProblem {
  if (hasSignal) return 'media_unreachable';
  if (!(error instanceof ConnectionError)) return 'livekit_unreachable';
  switch (error.reason) {
    case ConnectionErrorReason.NotAllowed:
      return 'token_rejected';
    // LiveKit's client has asked over HTTP, and got an answer.
    case ConnectionErrorReason.InternalError:
    case ConnectionErrorReason.WebSocket:
      return 'signal_refused';
    default:
      return 'livekit_unreachable';
  }
}

export const joinRoom: JoinRoom = async (url, participantToken, formIds, events) => {
  const room = new LiveKitRoom({ disconnectOnPageLeave: true, stopLocalTrackOnUnpublish: true });
  let agent: RemoteParticipant | null = null;
  let agentVoice: RemoteTrack | null = null;
  /** Outlives the agent's tracks, which a full reconnect replaces. */
  let isAgentPlayed = false;
  let microphone: LocalTrack | undefined;
  let visitorMeter: AudioMeter | null = null;
  let agentMeter: AudioMeter | null = null;
  let hasJoined = false;
  let hasLeft = false;

  function reportAgent() {
    const state = agent?.attributes['lk.agent.state'] as AgentState | undefined;
    events.agent(agent ? (state ?? 'initializing') : 'absent');
  }

  function addParticipant(participant: RemoteParticipant) {
    if (!participant.isAgent) return;
    agent = participant;
    reportAgent();
  }

  function updatePlayback() {
    if (!isAgentPlayed) return stopPlayback();
    if (!agentVoice) return;
    // Each call without an element makes another one, which plays the same voice once more.
    if (!agentVoice.attachedElements.length) agentVoice.attach();
    agentMeter ??= createAudioMeter(agentVoice.mediaStreamTrack);
  }

  function stopPlayback() {
    for (const element of agentVoice?.detach() ?? []) element.remove();
    agentMeter?.stop();
    agentMeter = null;
  }

  room
    .on(RoomEvent.ParticipantConnected, addParticipant)
    .on(RoomEvent.ParticipantDisconnected, (participant) => {
      if (participant !== agent) return;
      agent = null;
      reportAgent();
    })
    .on(RoomEvent.ParticipantAttributesChanged, (changed, participant) => {
      if (participant === agent && 'lk.agent.state' in changed) reportAgent();
    })
    .on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
      if (!participant.isAgent || track.kind !== Track.Kind.Audio) return;
      agentVoice = track;
      updatePlayback();
    })
    .on(RoomEvent.TrackUnsubscribed, (track) => {
      if (track !== agentVoice) return;
      stopPlayback();
      agentVoice = null;
    })
    .on(RoomEvent.AudioPlaybackStatusChanged, () =>
      events.soundBlocked(isAgentPlayed && !room.canPlaybackAudio),
    )
    .on(RoomEvent.Reconnecting, () => events.reconnecting())
    .on(RoomEvent.SignalReconnecting, () => events.reconnecting())
    .on(RoomEvent.Reconnected, () => events.reconnected())
    .on(RoomEvent.Disconnected, (reason) => {
      releaseMicrophone();
      stopPlayback();
      // An attempt to connect that fails rejects, and closes no room.
      if (!hasJoined || hasLeft) return;
      // LiveKit leaves the room when the page is left. A page that stays after all, or returns from
      // the browser's history, gets here when its timers run again.
      if (reason === DisconnectReason.CLIENT_INITIATED)
        setTimeout(events.closed, PAGE_RETURN_DELAY);
      else events.closed();
    });

  room.registerTextStreamHandler('lk.transcription', async (reader, { identity }) => {
    const attributes = reader.info.attributes ?? {};
    const role = identity === room.localParticipant.identity ? 'visitor' : 'agent';
    const segment = attributes['lk.segment_id'] ?? reader.info.id;
    let starts = true;
    try {
      for await (const text of reader) {
        events.piece({ segment, role, text, starts, final: false });
        starts = false;
      }
    } catch {
      // Interrupted by the connection: what has arrived stays.
    }
    // With the room, streams are cut off: the next room finishes the turn, or repeats the question.
    if (room.state === ConnectionState.Disconnected) return;
    // The agent's turn ends with its stream; recognized speech carries whether it is final.
    if (role === 'agent' || attributes['lk.transcription_final'] === 'true')
      events.piece({ segment, role, text: '', starts: false, final: true });
  });

  for (const id of formIds) {
    room.registerRpcMethod(
      `show_form_${id}`,
      async ({ callerIdentity, payload, responseTimeout }) => {
        if (callerIdentity !== agent?.identity) throw new RpcError(1500, 'only the agent may ask');
        try {
          JSON.parse(payload || '{}');
        } catch {
          throw new RpcError(1500, 'the payload must be JSON');
        }
        return events.form(id, responseTimeout);
      },
    );
  }

  /** LiveKit itself stops only tracks whose publishing has finished. */
  function releaseMicrophone() {
    microphone?.stop();
    microphone = undefined;
    visitorMeter?.stop();
    visitorMeter = null;
  }

  let hasSignal = false;
  room.on(RoomEvent.SignalConnected, () => {
    hasSignal = true;
  });
  // LiveKit's client would wait for media of the room that is gone until its time is over.
  const removed = new Promise<never>((_, reject) => {
    room.once(RoomEvent.Disconnected, (reason) => {
      if (REMOVALS.includes(reason))
        reject(new JoinError('room_closed', DisconnectReason[reason as DisconnectReason]));
    });
  });
  const connected = room.connect(url, participantToken, {
    maxRetries: 0,
    websocketTimeout: SIGNAL_TIMEOUT,
    peerConnectionTimeout: PEER_TIMEOUT,
  });
  try {
    await Promise.race([connected, removed]);
  } catch (error) {
    if (error instanceof JoinError) throw error;
    throw new JoinError(joinProblemOf(error, hasSignal), (error as Error).message);
  }
  hasJoined = true;
  for (const participant of room.remoteParticipants.values()) addParticipant(participant);
  if (!agent) reportAgent();

  return {
    async sendText(topic, text) {
      await room.localParticipant.sendText(text, { topic });
    },
    async setAgentMode(mode) {
      if (!agent) return false;
      try {
        await room.localParticipant.performRpc({
          destinationIdentity: agent.identity,
          method: 'set_mode',
          payload: JSON.stringify({ mode }),
        });
        return true;
      } catch (error) {
        return !(error instanceof RpcError && error.code === UNSUPPORTED_METHOD);
      }
    },
    playAgent(on) {
      isAgentPlayed = on;
      updatePlayback();
      // Called on a tap, which is when browsers allow sound to start.
      if (on) room.startAudio().catch(() => {});
    },
    async startPublishing(track, muted) {
      // A copy, because LiveKit stops what it has published when its room ends.
      const copy = track.clone();
      // Made here, so that it can be muted before and during publishing. As the general type,
      // because LiveKit's types do not compile with `exactOptionalPropertyTypes`.
      const own = new LocalAudioTrack(copy, undefined, true) as LocalTrack;
      microphone = own;
      visitorMeter = createAudioMeter(copy);
      if (muted) await own.mute();
      await room.localParticipant.publishTrack(own, {
        source: Track.Source.Microphone,
        dtx: true,
      });
      // LiveKit does not report a change during publishing to its server, which forwards nothing of
      // a track that it believes to be muted.
      if (own.isMuted !== muted) own.emit(own.isMuted ? TrackEvent.Muted : TrackEvent.Unmuted, own);
    },
    async setMuted(muted) {
      if (muted) await microphone?.mute();
      else await microphone?.unmute();
    },
    async stopPublishing() {
      const own = microphone;
      releaseMicrophone();
      if (own) await room.localParticipant.unpublishTrack(own, true);
    },
    levels: () => ({ visitor: visitorMeter?.level() ?? 0, agent: agentMeter?.level() ?? 0 }),
    async leave() {
      hasLeft = true;
      releaseMicrophone();
      stopPlayback();
      await room.disconnect();
    },
  };
};
