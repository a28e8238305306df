import { marked, type Token, type Tokens } from 'marked';

export interface CodeBlock {
  /** `js` for a fence that begins ```js, '' for an indented block or a bare fence. */
  language: string;
  text: string;
}

export interface Example {
  code: string;
  /** What the README says that the example prints; undefined where it doesn't say. */
  prints: string | undefined;
}

function walk(markdown: string): Token[] {
  const tokens: Token[] = [];
  marked.walkTokens(marked.lexer(markdown), (token) => {
    tokens.push(token);
  });
  return tokens;
}

function asCode(token: Token): CodeBlock {
  const { lang, text } = token as Tokens.Code;
  return { language: lang?.split(/\s/)[0] ?? '', text };
}

/** The js blocks of a README, each a program of its own, with what its README says that it prints. */
export function examples(markdown: string): Example[] {
  const tokens = walk(markdown).filter(({ type }) => type === 'code' || type === 'heading');
  return tokens.flatMap((token, i) => {
    if (token.type !== 'code' || asCode(token).language !== 'js') return [];
    const code = asCode(token).text;
    const next = tokens[i + 1];
    if (next?.type === 'code' && asCode(next).language === 'text')
      return [{ code, prints: asCode(next).text }];
    // Or the comment that ends the block.
    const comment = /(?<=\n)(?:\/\/.*\n)+$/.exec(`${code.trimEnd()}\n`)?.[0];
    return [{ code, prints: comment?.replace(/^\/\/ ?/gm, '') }];
  });
}

/** What comes after `npm install` in a README, flags left out: the first such command that names `name`. */
export function installLine(markdown: string, name: string): string[] | undefined {
  return commands(markdown)
    .filter((command) => command.startsWith('npm install '))
    .map((command) => command.split(/\s+/).slice(2))
    .map((words) => words.filter((word) => !word.startsWith('-')))
    .find((words) => words.some((word) => word === name || word.startsWith(`${name}@`)));
}

const shell = /^(sh|bash|shell|zsh|console)$/;
const program = /^(\$ )?(npm|npx|pnpm|node|git|sbp|cd) /;

/**
 * Every command that a README tells its reader to type: the lines of its `sh` blocks, and of blocks without a
 * language that begin like one, with continued lines joined and comments left out.
 */
export function commands(markdown: string): string[] {
  return walk(markdown)
    .filter(({ type }) => type === 'code')
    .map(asCode)
    .filter(({ language, text }) => shell.test(language) || (language === '' && program.test(`${text} `)))
    .flatMap(({ text }) => text.replace(/\s*\\\n\s*/g, ' ').split('\n'))
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/(^|\s)#.*$/, '')
        .trim(),
    )
    .filter((line) => line !== '');
}

/**
 * Whether a program printed what its README says. `…` stands for anything within a line, and for any number of lines
 * where it stands alone; spaces at the ends of lines don't count.
 */
export function printedAsSaid(printed: string, said: string): boolean {
  const lines = (text: string) => text.trim().split(/\s*\n/);
  const pattern = lines(said)
    .map((line) => {
      if (line === '…') return '(?:.*\n)*';
      return `${line.split('…').map(literally).join('.*')}\n`;
    })
    .join('');
  return new RegExp(`^${pattern}$`).test(`${lines(printed).join('\n')}\n`);
}

function literally(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
