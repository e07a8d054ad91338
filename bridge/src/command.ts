/** What comments may ask for. */
export const COMMANDS = ['testme', 'stop', 'status'] as const;
export type Command = (typeof COMMANDS)[number];

/** The texts that are commands; no other is one. */
const COMMAND_OF_TEXT: ReadonlyMap<string, Command> = new Map([
  ['!testme', 'testme'],
  ['!testme stop', 'stop'],
  ['!testme status', 'status'],
]);

/** The command a comment's text is, if it is exactly one: nothing before or after it but white space. */
export function commandOf(body: string): Command | undefined {
  return COMMAND_OF_TEXT.get(body.trim());
}

/**
 * Milliseconds between a comment's creation and its last change from which on it counts as edited.
 * The forge's times are whole seconds.
 */
const EDITED_AFTER_MS = 1_000;

/** What was decided about a comment: a command, or why it is none. */
export type Decision = Command | 'no-command' | 'edited' | 'own-comment' | 'ignored-author';

/** Whether a comment that was decided about so is a command. */
export function isCommand(decision: Decision): decision is Command {
  return (COMMANDS as readonly Decision[]).includes(decision);
}

/**
 * Decides about a comment that is seen for the first time. One that was edited into a command is none: who edited
 * it need not be who wrote it.
 */
export function decide(
  comment: { body: string; created_at: number; updated_at: number },
  authorId: number,
  botId: number,
): Decision {
  if (authorId === botId) return 'own-comment';
  const command = commandOf(comment.body);
  if (!command) return 'no-command';
  return comment.updated_at - comment.created_at > EDITED_AFTER_MS ? 'edited' : command;
}
