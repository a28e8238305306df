/** The paths' last names, with as many of their parents as tell them apart; a path that comes again is numbered. */
export function shortNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split(/[/\\]/));
  const different = new Set(paths).size;
  let length = 1;
  const names = () => parts.map((part) => part.slice(-length).join('/'));
  while (new Set(names()).size < different) length++;
  return names().map((name, i) => {
    const again = paths.slice(0, i).filter((other) => other === paths[i]).length;
    return again === 0 ? name : `${name} (${again + 1})`;
  });
}
