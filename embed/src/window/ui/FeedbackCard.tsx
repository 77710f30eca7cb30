/** Asks for feedback below the transcript; the visitor may skip it. */
import { useRef } from 'preact/hooks';
import { feedbackForm } from '../config';
import { useSurface } from './context';
import { LazyForm } from './LazyForm';

/** `onDrawn`: the form can be brought into sight. */
export function FeedbackCard({ onDrawn }: { onDrawn(card: HTMLElement): void }) {
  const { session, config, strings } = useSurface();
  const { forms } = session;
  const card = useRef<HTMLDivElement>(null);
  return (
    <div class="card feedback" ref={card}>
      <LazyForm
        id="feedback"
        definition={feedbackForm(config, strings)}
        title={strings.feedback}
        earlier={forms.drafts.get('feedback') ?? {}}
        strings={strings}
        submitLabel={config.post_conversation_feedback.form.submit_label || strings.submit}
        submit={(values) => session.submitFeedback(values)}
        keep={(values) => forms.saveDraft('feedback', values)}
        dismiss={() => session.skipFeedback()}
        dismissLabel={strings.skip}
        takesFocus={!session.draft}
        onDrawn={() => card.current && onDrawn(card.current)}
      />
    </div>
  );
}
