import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const path = `${process.env.PATH}:/usr/sbin:/sbin`;
const programs = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol', 'scancel'];

/** Whether Slurm and munge are installed, as by Debian's slurm-wlm and munge. */
export const slurmIsHere = programs.every((name) =>
  path.split(':').some((folder) => existsSync(join(folder, name))),
);

/** A Slurm of one node and its own ports, keys and folders. */
export interface Slurm {
  /** What commands have to have to reach it. */
  env: Record<string, string>;
  /** Runs one of its commands. */
  call(command: string, ...args: string[]): string;
  stop(): Promise<void>;
}

/** Starts it, on 127.0.0.1 alone. @param cpus that it may give to jobs */
export async function startSlurm(cpus: number): Promise<Slurm> {
  const folder = mkdtempSync(join(tmpdir(), 'sbp-slurm-'));
  const at = (name: string) => join(folder, name);
  const [controller, node] = await freePorts(2);
  const user = userInfo().username;
  for (const name of ['state', 'spool']) mkdirSync(at(name));
  writeFileSync(at('munge.key'), randomBytes(1024), { mode: 0o600 });
  const socket = at('munge.socket');
  writeFileSync(
    at('slurm.conf'),
    `ClusterName=sbp
SlurmctldHost=localhost(127.0.0.1)
SlurmctldParameters=enable_configless
AuthType=auth/munge
AuthInfo=socket=${socket},cred_expire=5
CryptoType=crypto/munge
SlurmUser=${user}
SlurmdUser=${user}
SlurmctldPort=${controller}
SlurmdPort=${node}
StateSaveLocation=${at('state')}
SlurmdSpoolDir=${at('spool')}
SlurmctldPidFile=${at('slurmctld.pid')}
SlurmdPidFile=${at('slurmd.pid')}
SlurmctldLogFile=${at('slurmctld.log')}
SlurmdLogFile=${at('slurmd.log')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,sched_min_interval=100000,batch_sched_delay=0,requeue_delay=0
ReturnToService=2
KillWait=10
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname=${hostname()} CPUs=${cpus}
PartitionName=test Nodes=localhost Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
`,
  );
  const env = { SLURM_CONF: at('slurm.conf'), PATH: path };
  const daemons: ChildProcess[] = [];
  const daemon = (command: string, ...args: string[]) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
    daemons.push(child);
  };
  const call = (command: string, ...args: string[]) =>
    execFileSync(command, args, {
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const stop = async () => {
    // what runs a job outlives its daemon
    if (daemons.length === 3) {
      await until(() => {
        call('scancel', '--signal=KILL', `--user=${user}`);
        call('scancel', `--user=${user}`);
        return call('squeue', '-h') === '';
      }, at('slurmctld.log')).catch(() => {});
    }
    for (const child of [...daemons].reverse()) await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    daemon(
      'munged',
      '--foreground',
      '--force',
      `--key-file=${at('munge.key')}`,
      `--socket=${socket}`,
      `--pid-file=${at('munged.pid')}`,
      `--log-file=${at('munged.log')}`,
      `--seed-file=${at('munged.seed')}`,
    );
    await until(() => existsSync(socket), at('munged.log'));
    daemon('slurmctld', '-D');
    daemon('slurmd', '-D', '-N', 'localhost', '-f', at('slurm.conf'));
    await until(() => /\bidle\b/.test(call('sinfo', '-h', '-o', '%T')), at('slurmctld.log'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { env, call, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(late);
}

/** Waits for something that may not answer yet. */
async function until(come: () => boolean, log: string): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    try {
      if (come()) return;
    } catch {}
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(
    `Slurm did not start: ${existsSync(log) ? readFileSync(log, 'utf8').slice(-1500) : `there is no ${log}`}`,
  );
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
