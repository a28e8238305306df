import { floors } from './floors.js';

/** A package, and those that its shipped files import. */
export interface Room {
  readonly name: string;
  /** One sentence. */
  readonly description: string;
  readonly imports: readonly string[];
}

const room = { width: 350, height: 92, gap: 60, rise: 44 };
const margin = 70;

/** Middle of a room's top side, and its floor from the top. */
interface Place {
  x: number;
  y: number;
  level: number;
}

const width = 2 * room.width + room.gap + 2 * margin;

/** The house as SVG: packages on their floors, arrows to what they import; an arrow that others make up together is left out. */
export function picture(rooms: readonly Room[]): string {
  const byName = new Map(rooms.map((each) => [each.name.replace('@sbp/', ''), each]));
  const shown = floors
    .map((floor) => floor.filter((name) => byName.has(name)))
    .filter((floor) => floor.length > 0);
  const places = new Map(
    shown.flatMap((floor, level) =>
      floor.map((name, i) => {
        const x = width / 2 + (i - (floor.length - 1) / 2) * (room.width + room.gap);
        return [`@sbp/${name}`, { x, y: margin / 2 + level * (room.height + room.rise), level }] as [
          string,
          Place,
        ];
      }),
    ),
  );
  // long arrows run in a lane of their own at the picture's edge
  const lanes = new Map([
    [-1, 0],
    [1, 0],
  ]);
  const arrows = direct(rooms).map(([from, to]) => {
    const [a, b] = [places.get(from)!, places.get(to)!];
    const [top, bottom] = [a.y + room.height, b.y - 4];
    if (b.level - a.level === 1)
      return `<path d="M${a.x} ${top} C${a.x} ${top + 22} ${b.x} ${bottom - 22} ${b.x} ${bottom}"/>`;
    // past the floors between, on the side where it starts
    const side = a.x < width / 2 || (a.x === width / 2 && b.x < width / 2) ? -1 : 1;
    const lane = lanes.get(side)!;
    lanes.set(side, lane + 1);
    const edge = width / 2 + side * (width / 2 - 10 - 9 * lane);
    const [fromX, toX] = [a.x + (side * room.width) / 2, b.x + (side * room.width) / 2 + side * 4];
    const [fromY, toY] = [a.y + room.height / 2, b.y + room.height / 2];
    return `<path d="M${fromX} ${fromY} C${edge} ${fromY} ${edge} ${fromY} ${edge} ${fromY + 50} L${edge} ${toY - 50} C${edge} ${toY} ${edge} ${toY} ${toX} ${toY}"/>`;
  });
  const boxes = rooms.map(({ name, description }) => {
    const { x, y } = places.get(name)!;
    const lines = wrapped(description).map(
      (line, i) => `<text class="soft" x="${x}" y="${y + 46 + 17 * i}">${escaped(line)}</text>`,
    );
    return `<rect x="${x - room.width / 2}" y="${y}" width="${room.width}" height="${room.height}" rx="8"/>
<text class="name" x="${x}" y="${y + 24}">${name}</text>
${lines.join('\n')}`;
  });
  const height = margin + shown.length * (room.height + room.rise) - room.rise;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Packages and what they import">
<style>
  text { font: 13px system-ui, Helvetica, Arial, sans-serif; text-anchor: middle; fill: #1f2328; }
  .name { font-weight: 600; font-size: 16px; }
  .soft { fill: #59636e; }
  rect { fill: #f6f8fa; stroke: #d1d9e0; }
  path { fill: none; stroke: #0969da; stroke-width: 1.5; marker-end: url(#tip); }
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" orient="auto"><polygon points="0,0 8,4 0,8" fill="#0969da"/></marker></defs>
<rect width="${width}" height="${height}" style="fill: #ffffff; stroke: none"/>
${[...arrows, ...boxes].join('\n')}
</svg>
`;
}

/** Imports that do not follow from others. */
export function direct(rooms: readonly Room[]): [from: string, to: string][] {
  const imports = new Map(rooms.map(({ name, imports }) => [name, imports]));
  const reaches = (from: string, to: string): boolean =>
    imports.get(from)!.some((next) => next === to || reaches(next, to));
  return rooms.flatMap(({ name, imports: all }) =>
    all
      .filter((to) => !all.some((other) => other !== to && reaches(other, to)))
      .map((to) => [name, to] as [string, string]),
  );
}

/** Three lines at most. */
function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1) !== '' && lines.at(-1)!.length + word.length > 52) lines.push('');
    lines.push([lines.pop(), word].filter(Boolean).join(' '));
  }
  return lines.length > 3 ? [...lines.slice(0, 2), `${lines[2]} …`] : lines;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
