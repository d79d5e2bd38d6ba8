import { Prisma } from './generated/client.ts';

/** Whether a statement failed since the database keeps this constraint, such as `users_email_key`. */
export function violatesUnique(error: unknown, constraint: string): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError) || error.code !== 'P2002') return false;
  return JSON.stringify(error.meta ?? {}).includes(constraint);
}
