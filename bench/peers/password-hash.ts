/** What a peer does with passwords, by its own code. */
export interface PasswordHash {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
}
