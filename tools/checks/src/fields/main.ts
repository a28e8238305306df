// npm run fields: the tables of fields in READMEs, from the schemas' own descriptions.
import { writeFileSync } from 'node:fs';
import { documented, readmeOf, readmeWithFields } from './readmes.js';

for (const one of documented) {
  const { is, should } = readmeWithFields(one);
  if (is !== should) writeFileSync(readmeOf(one.name), should);
  console.log(`${readmeOf(one.name)}: ${is === should ? 'as it was' : 'written'}`);
}
