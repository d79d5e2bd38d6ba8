import { builder } from './builder.ts';

export const DeletedPayloadObject = builder.objectRef<{ readonly id: string }>('DeletedPayload').implement({
  shareable: true,
  description: 'What was deleted.',
  fields: (t) => ({ id: t.exposeID('id', { description: 'The id it had.' }) }),
});
