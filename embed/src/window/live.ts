/**
 * The only file that knows LiveKit; a chunk of its own, fetched while the visitor reads. It turns a
 * room into a handful of events and calls, following the conventions of livekit-agents, so that an
 * unchanged worker is understood.
 */
import {
  DisconnectReason,
  getLogger,
  LocalAudioTrack,
  type LocalTrack,
  LoggerNames,
  type RemoteParticipant,
  type RemoteTrack,
  Room,
  RoomEvent,
  RpcError,
  Track,
  TrackEvent,
} from 'livekit-client';
import type { Mode } from './config';
import { createMeter, type Meter } from './meter';
import type { AgentState } from './state';
import type { Piece } from './transcript';

export interface LiveEvents {
  agent(state: AgentState): void;
  piece(piece: Piece): void;
  reconnecting(): void;
  reconnected(): void;
  /** The room is gone for good, or we were put out of it. */
  closed(): void;
  /** The agent asks for a form; what the visitor did with it is wanted within so many milliseconds. */
  form(formId: string, within: number): Promise<string>;
}

export interface Live {
  send(topic: string, text: string): Promise<void>;
  /** Asks the agent to speak or to be silent; false when this worker does not know how. */
  setMode(mode: Mode): Promise<boolean>;
  /** Whether the agent is heard. */
  hear(on: boolean): void;
  /**
   * Sends the visitor's voice; muted, it sends silence until it is unmuted. The track stays the caller's,
   * to be stopped there and to be sent in the next room.
   */
  speak(track: MediaStreamTrack, muted: boolean): Promise<void>;
  mute(muted: boolean): Promise<void>;
  /** Sends the visitor's voice no longer. */
  hush(): Promise<void>;
  /** Loudness of the visitor and of the agent, 0 to 1. */
  levels(): { visitor: number; agent: number };
  leave(): Promise<void>;
}

/** LiveKit's code for a method that the other side has not registered. */
const UNSUPPORTED_METHOD = 1400;
/** After a page has left its room, how long until it is taken to have come back, in milliseconds. */
const RETURN = 1_000;
/** How long one attempt may take, in milliseconds, before the next one is announced. */
const SIGNAL_PATIENCE = 8_000;
const PEER_PATIENCE = 12_000;

// The console belongs to the page. As a default, since a level that is set is also kept in storage.
for (const name of Object.values(LoggerNames)) getLogger(name).setDefaultLevel('silent');

export async function join(
  url: string,
  token: string,
  formIds: string[],
  events: LiveEvents,
): Promise<Live> {
  const room = new Room({ disconnectOnPageLeave: true, stopLocalTrackOnUnpublish: true });
  let agent: RemoteParticipant | null = null;
  let voice: RemoteTrack | null = null;
  /** Whether the visitor wants to hear the agent; outlives its tracks, which a full reconnect replaces. */
  let hearing = false;
  let microphone: LocalTrack | undefined;
  let visitorMeter: Meter | null = null;
  let agentMeter: Meter | null = null;
  let joined = false;
  let left = false;

  function report() {
    const state = agent?.attributes['lk.agent.state'] as AgentState | undefined;
    events.agent(agent ? (state ?? 'initializing') : 'absent');
  }

  function meet(participant: RemoteParticipant) {
    if (!participant.isAgent) return;
    agent = participant;
    report();
  }

  function play() {
    if (!hearing) return silence();
    if (!voice) return;
    voice.attach();
    agentMeter ??= createMeter(voice.mediaStreamTrack);
  }

  function silence() {
    for (const element of voice?.detach() ?? []) element.remove();
    agentMeter?.stop();
    agentMeter = null;
  }

  room
    .on(RoomEvent.ParticipantConnected, meet)
    .on(RoomEvent.ParticipantDisconnected, (participant) => {
      if (participant !== agent) return;
      agent = null;
      report();
    })
    .on(RoomEvent.ParticipantAttributesChanged, (changed, participant) => {
      if (participant === agent && 'lk.agent.state' in changed) report();
    })
    .on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
      if (!participant.isAgent || track.kind !== Track.Kind.Audio) return;
      voice = track;
      play();
    })
    .on(RoomEvent.TrackUnsubscribed, (track) => {
      if (track !== voice) return;
      silence();
      voice = null;
    })
    .on(RoomEvent.Reconnecting, () => events.reconnecting())
    .on(RoomEvent.SignalReconnecting, () => events.reconnecting())
    .on(RoomEvent.Reconnected, () => events.reconnected())
    .on(RoomEvent.Disconnected, (reason) => {
      stopSpeaking();
      silence();
      // An attempt that comes to nothing says so by itself, and is no end of a room.
      if (!joined || left) return;
      // LiveKit itself leaves when the page does. A page that stays after all, or is shown again out of
      // the browser's history, gets here once its clock runs on.
      if (reason === DisconnectReason.CLIENT_INITIATED) setTimeout(events.closed, RETURN);
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
      // Cut off by the connection: what has come stays.
    }
    // The agent's words end with their stream; recognized speech says itself whether it is final.
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

  /** Also while it is still being published: LiveKit stops only what has been published by then. */
  function stopSpeaking() {
    microphone?.stop();
    microphone = undefined;
    visitorMeter?.stop();
    visitorMeter = null;
  }

  await room.connect(url, token, {
    maxRetries: 0,
    websocketTimeout: SIGNAL_PATIENCE,
    peerConnectionTimeout: PEER_PATIENCE,
  });
  joined = true;
  for (const participant of room.remoteParticipants.values()) meet(participant);
  if (!agent) report();

  return {
    async send(topic, text) {
      await room.localParticipant.sendText(text, { topic });
    },
    async setMode(mode) {
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
    hear(on) {
      hearing = on;
      play();
      // Called from a tap, which is when browsers let sound begin.
      if (on) room.startAudio().catch(() => {});
    },
    async speak(track, muted) {
      // A copy, because LiveKit stops what it has published when its room ends, whoever ends it.
      const copy = track.clone();
      // Made here, so that it can be muted before and while it is published. As the general type, since
      // LiveKit's are written for a compiler that does not tell `undefined` from absence.
      const own = new LocalAudioTrack(copy, undefined, true) as LocalTrack;
      microphone = own;
      visitorMeter = createMeter(copy);
      if (muted) await own.mute();
      await room.localParticipant.publishTrack(own, {
        source: Track.Source.Microphone,
        dtx: true,
      });
      // LiveKit does not tell its server of a change while it publishes, and that one holds back what it
      // takes to be muted.
      if (own.isMuted !== muted) own.emit(own.isMuted ? TrackEvent.Muted : TrackEvent.Unmuted, own);
    },
    async mute(muted) {
      if (muted) await microphone?.mute();
      else await microphone?.unmute();
    },
    async hush() {
      const own = microphone;
      stopSpeaking();
      if (own) await room.localParticipant.unpublishTrack(own, true);
    },
    levels: () => ({ visitor: visitorMeter?.level() ?? 0, agent: agentMeter?.level() ?? 0 }),
    async leave() {
      left = true;
      stopSpeaking();
      silence();
      await room.disconnect();
    },
  };
}
