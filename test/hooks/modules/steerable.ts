// The module of an operator who is the test: each hook notes its call, then does what the test has said.

import type { Hooks } from '../../../src/hooks.ts';

type Name = keyof Hooks;
type Behaviour = (...told: readonly unknown[]) => unknown;

export interface Call {
  readonly name: Name;
  readonly told: readonly unknown[];
}

export const calls: Call[] = [];
export const behaviours = new Map<Name, Behaviour>();

function hook(name: Name) {
  // Whatever a hook may answer, and what it may not.
  return (...told: readonly unknown[]): unknown => {
    calls.push({ name, told });
    return behaviours.get(name)?.(...told);
  };
}

export const preLogin = hook('preLogin');
export const preRegistration = hook('preRegistration');
export const postLogin = hook('postLogin');
export const postRegistration = hook('postRegistration');
export const postVerification = hook('postVerification');
export const postPasswordReset = hook('postPasswordReset');
export const postInvitationAccepted = hook('postInvitationAccepted');
