import type { Member, Person, Plan } from '../plan.ts';

/** The members whom one connection speaks for, and no other does, in turn from one of them on and without an end. */
export function shareOf({ people, crowd }: Plan, { id }: Person): () => Member {
  const place = people.findIndex((person) => person.id === id);
  const share = crowd.filter((_member, index) => index % people.length === place);
  let turn = Math.floor(Math.random() * share.length);
  return () => {
    const member = share[turn % share.length];
    if (member === undefined) throw new Error('there is nobody to speak for');
    turn += 1;
    return member;
  };
}
