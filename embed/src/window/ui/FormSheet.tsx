/** The form before the conversation, in the place of the transcript. */
import type { OpenForm } from '../conversation/window-state';
import { useSurface } from './context';
import { LazyForm } from './LazyForm';

export function FormSheet({ form: { definition, values, errors } }: { form: OpenForm }) {
  const { session, strings } = useSurface();
  const { forms } = session;
  return (
    <div class="sheet">
      <LazyForm
        id="before"
        definition={definition}
        earlier={forms.drafts.get('before') ?? values}
        found={errors}
        strings={strings}
        submitLabel={definition.submit_label || strings.continue}
        submit={async (answers) => session.closeForm(answers)}
        keep={(answers) => forms.saveDraft('before', answers)}
        dismiss={() => session.closeForm(null)}
        takesFocus
      />
    </div>
  );
}
