/** design.md, section 1, from the top: imports go downwards only, and two packages on one floor don't import each other. */
export const floors: readonly (readonly string[])[] = [
  ['cli'],
  ['bench'],
  ['prune', 'train'],
  ['layers', 'data'],
  ['engine'],
  ['onnx'],
  ['model'],
  ['math'],
];

/** From 0, the top; −1 for a package that has no place. */
export const floorOf = (name: string) =>
  floors.findIndex((floor) => floor.includes(name.replace('@sbp/', '')));
