/**
 * The value of an environment variable; `undefined` where it is not set, or where
 * the program may not look, which is not asked for.
 */
export function environmentVariable(name: string): string | undefined {
  return mayRead(name) ? Deno.env.get(name) : undefined;
}

/** Whether the program may look at an environment variable. */
export function mayRead(variable: string): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted";
}
