// npm run house: docs/house.svg from the packages' imports.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../workspace.js';
import { picture } from './picture.js';
import { rooms } from './rooms.js';

const file = join(root, 'docs/house.svg');
writeFileSync(file, picture(rooms()));
console.log(file);
