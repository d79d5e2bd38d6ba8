import { builder } from './builder.ts';

export const AcceptedPayloadObject = builder.objectRef<{ readonly accepted: true }>('AcceptedPayload').implement({
  shareable: true,
  description: 'The request was heard. Says nothing of whether the address is known.',
  fields: (t) => ({ accepted: t.exposeBoolean('accepted', { description: 'Always true.' }) }),
});
