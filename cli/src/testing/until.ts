/** Waits until a condition holds, and gives what it answered; mocha's own timeout ends the wait. */
export async function until<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
