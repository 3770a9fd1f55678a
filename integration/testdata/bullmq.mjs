// Uses BullMQ as its users do and checks what comes of it: node bullmq.mjs PORT [NAME…]
//
// Prints a line "--- PASS: name" or "--- FAIL: name" for each test. Where time matters only lower bounds are checked: that something does not happen
// too early.
import assert from 'node:assert/strict';
import { FlowProducer, Queue, QueueEvents, Worker, UnrecoverableError } from 'bullmq';
import IORedis from 'ioredis';

const port = Number(process.argv[2]);
const only = process.argv.slice(3);
const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
const patienceMs = 60_000; // a test that takes longer has failed
const clockSlackMs = 5; // clocks count whole milliseconds

// Bench is what a test works with: everything it opens is closed at its end, and every error that a worker or queue reports fails it.
class Bench {
  constructor(name) {
    this.name = name.replaceAll(' ', '-');
    this.opened = [];
    this.errors = [];
  }
  keep(x) {
    x.on('error', (e) => this.errors.push(e));
    this.opened.push(x);
    return x;
  }
  queue(opts = {}, name = this.name) {
    return this.keep(new Queue(name, { connection, ...opts }));
  }
  worker(process, opts = {}, name = this.name) {
    return this.keep(new Worker(name, process, { connection, drainDelay: 1, ...opts }));
  }
  events() {
    return this.keep(new QueueEvents(this.name, { connection, lastEventId: '0-0' }));
  }
  flow() {
    return this.keep(new FlowProducer({ connection }));
  }
  async close() {
    const errors = [...this.errors];
    for (const x of this.opened.reverse()) await x.close(true);
    assert.deepEqual(errors, []);
  }
}

// count resolves with the jobs of the next n events of a worker.
function count(worker, event, n) {
  return new Promise((resolve) => {
    const jobs = [];
    worker.on(event, (job) => {
      jobs.push(job);
      if (jobs.length === n) resolve(jobs);
    });
  });
}

// signal is a promise and the function that resolves it.
function signal() {
  let fire;
  const fired = new Promise((resolve) => (fire = resolve));
  return { fire, fired };
}

const range = (n) => [...Array(n).keys()];
const tests = {};

tests['every job once'] = async (b) => {
  const queue = b.queue();
  const seen = new Map();
  const process = async (job) => {
    seen.set(job.id, (seen.get(job.id) ?? 0) + 1);
    return job.data.n * 2;
  };
  const workers = range(3).map(() => b.worker(process, { concurrency: 5, autorun: false }));
  const all = 300;
  let left = all;
  const done = signal();
  for (const w of workers) w.on('completed', () => --left === 0 && done.fire());
  for (const w of workers) w.run();
  const jobs = [];
  for (const i of range(3)) jobs.push(...(await queue.addBulk(range(100).map((n) => ({ name: 'double', data: { n: i * 100 + n } })))));
  await done.fired;
  assert.equal(seen.size, all);
  assert.ok([...seen.values()].every((n) => n === 1), 'a job was processed twice');
  assert.deepEqual(await queue.getJobCounts('wait', 'active', 'completed', 'failed'), { wait: 0, active: 0, completed: all, failed: 0 });
  for (const job of jobs) assert.equal((await queue.getJob(job.id)).returnvalue, job.data.n * 2);
};

tests['first in, first out'] = async (b) => {
  const queue = b.queue();
  for (const n of range(20)) await queue.add('job', { n });
  const order = [];
  const worker = b.worker(async (job) => order.push(job.data.n), { autorun: false });
  const done = count(worker, 'completed', 20);
  worker.run();
  await done;
  assert.deepEqual(order, range(20));
};

tests['last in, first out'] = async (b) => {
  const queue = b.queue();
  for (const n of range(10)) await queue.add('job', { n }, { lifo: true });
  const order = [];
  const worker = b.worker(async (job) => order.push(job.data.n), { autorun: false });
  const done = count(worker, 'completed', 10);
  worker.run();
  await done;
  assert.deepEqual(order, range(10).reverse());
};

tests['a waiting worker gets a job'] = async (b) => {
  const queue = b.queue();
  const worker = b.worker(async (job) => job.data.n, { drainDelay: 30 });
  await worker.waitUntilReady();
  const events = b.events();
  await events.waitUntilReady();
  for (const n of range(10)) {
    const job = await queue.add('job', { n });
    assert.equal(await job.waitUntilFinished(events, patienceMs), n);
  }
};

tests['delayed jobs'] = async (b) => {
  const queue = b.queue();
  const order = [];
  const worker = b.worker(async (job) => {
    const early = job.timestamp + job.data.delay - Date.now();
    assert.ok(early <= 0, `${job.data.delay}: ${early} ms too early`);
    order.push(job.data.delay);
  }, { autorun: false });
  worker.on('failed', (job, e) => b.errors.push(e));
  const done = count(worker, 'completed', 4);
  await queue.addBulk([900, 300, 600, 0].map((delay) => ({ name: 'job', data: { delay }, opts: { delay } })));
  assert.equal(await queue.getDelayedCount(), 3);
  worker.run();
  await done;
  assert.deepEqual(order, [0, 300, 600, 900]);
  assert.equal(await queue.getDelayedCount(), 0);
};

tests['delays change'] = async (b) => {
  const queue = b.queue();
  const order = [];
  const promoted = await queue.add('promoted', {}, { delay: 3_600_000 });
  const sooner = await queue.add('sooner', {}, { delay: 3_600_000 });
  const never = await queue.add('never', {}, { delay: 3_600_000 });
  assert.equal(await promoted.getState(), 'delayed');
  await promoted.promote();
  assert.equal(await promoted.getState(), 'waiting');
  await sooner.changeDelay(300);
  const worker = b.worker(async (job) => order.push(job.name), { autorun: false });
  const done = count(worker, 'completed', 2);
  worker.run();
  await done;
  assert.deepEqual(order, ['promoted', 'sooner']);
  assert.equal(await never.getState(), 'delayed');
  await never.remove();
  assert.equal(await queue.getDelayedCount(), 0);
};

tests['priorities'] = async (b) => {
  const queue = b.queue();
  for (const priority of [30, 10, 20, 10, 0, 2_000_000, 1]) await queue.add('job', { priority }, { priority });
  const late = await queue.add('job', { priority: 5 }, { priority: 500 });
  await late.changePriority({ priority: 5 });
  assert.equal(await queue.getPrioritizedCount(), 7);
  const order = [];
  const worker = b.worker(async (job) => order.push(job.data.priority), { autorun: false });
  const done = count(worker, 'completed', 8);
  worker.run();
  await done;
  assert.deepEqual(order, [0, 1, 5, 10, 10, 20, 30, 2_000_000]);
};

tests['retries with backoff'] = async (b) => {
  const queue = b.queue();
  const starts = [];
  const worker = b.worker(async (job) => {
    starts.push(Date.now());
    if (job.attemptsMade < 3) throw new Error(`attempt ${job.attemptsMade}`);
    return 'at last';
  });
  await worker.waitUntilReady();
  const done = count(worker, 'completed', 1);
  await queue.add('job', {}, { attempts: 4, backoff: { type: 'exponential', delay: 100 } });
  const [job] = await done;
  assert.equal(job.returnvalue, 'at last');
  assert.equal(starts.length, 4);
  for (const [i, delay] of [100, 200, 400].entries()) {
    assert.ok(starts[i + 1] - starts[i] >= delay - clockSlackMs, `retry ${i}: after ${starts[i + 1] - starts[i]} ms`);
  }
  const stored = await queue.getJob(job.id);
  assert.equal(stored.attemptsMade, 4);
  assert.equal(stored.stacktrace.length, 3);
};

tests['jobs that fail'] = async (b) => {
  const queue = b.queue();
  let broken = true;
  const worker = b.worker(
    async (job) => {
      if (job.name === 'hopeless') throw new UnrecoverableError('no use');
      if (broken) throw new Error('broken');
      return 'repaired';
    },
    { autorun: false },
  );
  const failures = count(worker, 'failed', 4);
  const failing = await queue.add('failing', {}, { attempts: 3, backoff: { type: 'fixed', delay: 50 } });
  const hopeless = await queue.add('hopeless', {}, { attempts: 3 });
  worker.run();
  await failures;
  for (const [job, attempts, reason] of [[failing, 3, 'broken'], [hopeless, 1, 'no use']]) {
    const stored = await queue.getJob(job.id);
    assert.equal(await stored.getState(), 'failed');
    assert.equal(stored.failedReason, reason);
    assert.equal(stored.attemptsMade, attempts);
  }
  broken = false;
  const done = count(worker, 'completed', 1);
  await (await queue.getJob(failing.id)).retry();
  assert.equal((await done)[0].returnvalue, 'repaired');
  assert.deepEqual(await queue.getJobCounts('completed', 'failed'), { completed: 1, failed: 1 });
};

tests['flows'] = async (b) => {
  const order = [];
  const process = async (job) => {
    const values = Object.values(await job.getChildrenValues());
    order.push(job.name);
    return values.reduce((a, n) => a + n, job.data.n);
  };
  const flow = b.flow();
  const parents = b.queue();
  const leaves = b.queue({}, 'leaves');
  const leaf = (n) => ({ name: `leaf${n}`, queueName: leaves.name, data: { n } });
  const tree = await flow.add({
    name: 'root',
    queueName: parents.name,
    data: { n: 1000 },
    children: [
      { name: 'inner', queueName: parents.name, data: { n: 100 }, children: range(5).map(leaf) },
      { ...leaf(7), opts: { delay: 200 } },
    ],
  });
  assert.equal(await tree.job.getState(), 'waiting-children');
  assert.deepEqual((await tree.job.getDependencies()).unprocessed.length, 2);
  const done = new Promise((resolve) => {
    const worker = b.worker(process, { concurrency: 3 });
    worker.on('completed', (job) => job.name === 'root' && resolve(job));
    b.worker(process, { concurrency: 3 }, leaves.name);
  });
  assert.equal((await done).returnvalue, 1000 + 100 + 0 + 1 + 2 + 3 + 4 + 7);
  assert.equal(order.at(-1), 'root');
  assert.equal(order.length, 8);
  const found = await flow.getFlow({ id: tree.job.id, queueName: parents.name });
  assert.equal(found.children.length, 2);
};

tests['a failing child fails its parent'] = async (b) => {
  const queue = b.queue();
  const flow = b.flow();
  const worker = b.worker(async (job) => {
    if (job.name === 'bad') throw new Error('bad child');
    if (job.name === 'lenient') return Object.values(await job.getIgnoredChildrenFailures());
    return 1;
  }, { autorun: false });
  const child = (name, opts) => ({ name, queueName: b.name, data: {}, opts });
  const strict = await flow.add({ ...child('strict'), children: [child('bad', { failParentOnFailure: true }), child('good')] });
  const lenient = await flow.add({ ...child('lenient'), children: [child('bad', { ignoreDependencyOnFailure: true }), child('good')] });
  const finished = new Promise((resolve) => worker.on('completed', (job) => job.id === lenient.job.id && resolve(job)));
  const events = b.events();
  await events.waitUntilReady();
  const failed = new Promise((resolve) => events.on('failed', ({ jobId }) => jobId === strict.job.id && resolve()));
  worker.run();
  assert.deepEqual((await finished).returnvalue, ['bad child']);
  await failed;
  assert.equal(await strict.job.getState(), 'failed');
  assert.match((await queue.getJob(strict.job.id)).failedReason, /child .* failed/);
};

tests['job schedulers'] = async (b) => {
  const queue = b.queue();
  const planned = { every: [], cron: [] };
  const worker = b.worker(async (job) => {
    const at = Number(job.id.split(':').at(-1)); // repeat:scheduler:milliseconds
    assert.ok(Date.now() >= at, `${job.id} ${at - Date.now()} ms too early`);
    planned[job.name].push(at);
    return job.data.n;
  });
  worker.on('failed', (job, e) => b.errors.push(e));
  await worker.waitUntilReady();
  const done = count(worker, 'completed', 5);
  await queue.upsertJobScheduler('every-200', { every: 200, limit: 3 }, { name: 'every', data: { n: 1 } });
  await queue.upsertJobScheduler('each-second', { pattern: '* * * * * *', limit: 2 }, { name: 'cron', data: { n: 2 } });
  await queue.upsertJobScheduler('hourly', { every: 3_600_000, startDate: Date.now() + 3_600_000 }, { name: 'never' });
  const listed = await queue.getJobSchedulers();
  assert.ok(listed.some((s) => s.key === 'hourly' && s.every === 3_600_000), JSON.stringify(listed));
  await done;
  assert.deepEqual([planned.every.length, planned.cron.length], [3, 2]);
  assert.ok(planned.every[2] - planned.every[1] >= 200, `${planned.every}`);
  assert.ok(planned.cron[1] - planned.cron[0] >= 1000, `${planned.cron}`);
  assert.ok(planned.cron.every((at) => at % 1000 === 0), `${planned.cron}`);
  assert.equal(await queue.removeJobScheduler('hourly'), true);
  assert.equal(await queue.removeJobScheduler('hourly'), false);
  assert.equal(await queue.getDelayedCount(), 0);
};

tests['rate limit'] = async (b) => {
  const queue = b.queue();
  const duration = 400;
  const starts = [];
  const worker = b.worker(async () => starts.push(Date.now()), { autorun: false, concurrency: 10, limiter: { max: 2, duration } });
  await queue.addBulk(range(6).map((n) => ({ name: 'job', data: { n } })));
  const done = count(worker, 'completed', 6);
  const begin = Date.now();
  worker.run();
  await done;
  starts.sort((x, y) => x - y);
  assert.ok(starts[2] - begin >= duration - clockSlackMs, `third job after ${starts[2] - begin} ms`);
  assert.ok(starts[4] - begin >= 2 * (duration - clockSlackMs), `fifth job after ${starts[4] - begin} ms`);
};

tests['a worker limits itself'] = async (b) => {
  const queue = b.queue();
  const starts = [];
  const worker = b.worker(async () => {
    starts.push(Date.now());
    if (starts.length === 1) {
      await worker.rateLimit(400);
      throw Worker.RateLimitError();
    }
  }, { autorun: false, limiter: { max: 1, duration: 10 } });
  const done = count(worker, 'completed', 1);
  await queue.add('job', {});
  worker.run();
  await done;
  assert.equal(starts.length, 2);
  assert.ok(starts[1] - starts[0] >= 400 - clockSlackMs, `after ${starts[1] - starts[0]} ms`);
};

tests['pause and resume'] = async (b) => {
  const queue = b.queue();
  const ran = [];
  const worker = b.worker(async (job) => ran.push(job.data.n));
  await worker.waitUntilReady();
  await queue.pause();
  assert.equal(await queue.isPaused(), true);
  for (const n of range(5)) await queue.add('job', { n });
  // Another queue's job that is added and done meanwhile shows that time has passed for the server, too.
  const other = b.queue({}, 'not-paused');
  const busy = b.worker(async () => {}, {}, 'not-paused');
  const idle = count(busy, 'completed', 1);
  await other.add('job', {}, { delay: 300 });
  await idle;
  assert.deepEqual(ran, []);
  const done = count(worker, 'completed', 5);
  await queue.resume();
  await done;
  assert.deepEqual(ran, range(5));
  assert.equal(await queue.isPaused(), false);
  await worker.pause();
  await queue.add('job', { n: 5 });
  assert.equal(await queue.getWaitingCount(), 1);
  const last = count(worker, 'completed', 1);
  worker.resume();
  await last;
};

tests['stalled jobs'] = async (b) => {
  const queue = b.queue();
  const taken = signal();
  // It takes the job and is never heard of again.
  b.worker(() => { taken.fire(); return new Promise(() => {}); }, { lockDuration: 400, skipLockRenewal: true, skipStalledCheck: true });
  const job = await queue.add('job', {});
  await taken.fired;
  assert.equal(await job.getState(), 'active');
  const rescuer = b.worker(async () => 'rescued', { stalledInterval: 200, maxStalledCount: 2 });
  const stalled = new Promise((resolve) => rescuer.on('stalled', resolve));
  const [done] = await count(rescuer, 'completed', 1);
  assert.equal(await stalled, job.id);
  assert.equal(done.returnvalue, 'rescued');
};

tests['locks are renewed'] = async (b) => {
  const queue = b.queue();
  let runs = 0;
  const process = async () => {
    runs++;
    // Longer than the lock lasts: a third worker's delayed jobs tell the time.
    await count(clock, 'completed', 1);
    return 'done';
  };
  const ticks = b.queue({}, 'ticks');
  const clock = b.worker(async () => {}, {}, 'ticks');
  await clock.waitUntilReady();
  const workers = range(2).map(() => b.worker(process, { lockDuration: 2000, stalledInterval: 500 }));
  const done = Promise.race(workers.map((w) => count(w, 'completed', 1)));
  await queue.add('job', {});
  await ticks.add('tick', {}, { delay: 4500 });
  assert.equal((await done)[0].returnvalue, 'done');
  assert.equal(runs, 1);
};

tests['events, progress and logs'] = async (b) => {
  const queue = b.queue();
  const events = b.events();
  await events.waitUntilReady();
  const seen = [];
  for (const event of ['added', 'waiting', 'active', 'progress', 'completed', 'failed']) {
    events.on(event, (e) => seen.push(`${event} ${e.jobId}`));
  }
  const drained = new Promise((resolve) => events.on('drained', resolve));
  const worker = b.worker(async (job) => {
    await job.updateProgress({ percent: 50 });
    await job.log('half way');
    await job.updateData({ changed: true });
    if (job.name === 'bad') throw new Error('bad');
    return { text: 'ünïcødé', list: [1, null, 'x'] };
  }, { autorun: false });
  const good = await queue.add('good', {}, { jobId: 'one' });
  const bad = await queue.add('bad', {}, { jobId: 'two' });
  worker.run();
  assert.deepEqual(await good.waitUntilFinished(events, patienceMs), { text: 'ünïcødé', list: [1, null, 'x'] });
  await assert.rejects(bad.waitUntilFinished(events, patienceMs), /^Error: bad$/);
  await drained;
  const story = (id, end) => ['added', 'waiting', 'active', 'progress', end].map((e) => `${e} ${id}`);
  assert.deepEqual(seen.filter((e) => e.endsWith('one')), story('one', 'completed'));
  assert.deepEqual(seen.filter((e) => e.endsWith('two')), story('two', 'failed'));
  assert.deepEqual((await queue.getJobLogs('one')).logs, ['half way']);
  const stored = await queue.getJob('one');
  assert.deepEqual([stored.progress, stored.data], [{ percent: 50 }, { changed: true }]);
};

tests['deduplication'] = async (b) => {
  const queue = b.queue();
  const first = await queue.add('job', { n: 1 }, { deduplication: { id: 'same' } });
  const second = await queue.add('job', { n: 2 }, { deduplication: { id: 'same' } });
  const other = await queue.add('job', { n: 3 }, { deduplication: { id: 'other' } });
  assert.equal(second.id, first.id);
  assert.notEqual(other.id, first.id);
  assert.equal(await queue.getWaitingCount(), 2);
  assert.equal((await queue.add('job', {}, { jobId: 'mine' })).id, (await queue.add('job', {}, { jobId: 'mine' })).id);
  const worker = b.worker(async (job) => job.data.n, { autorun: false });
  const done = count(worker, 'completed', 3);
  worker.run();
  await done;
  assert.notEqual((await queue.add('job', { n: 4 }, { deduplication: { id: 'same' } })).id, first.id);
};

tests['global concurrency'] = async (b) => {
  const queue = b.queue();
  await queue.setGlobalConcurrency(2);
  assert.equal(await queue.getGlobalConcurrency(), 2);
  let running = 0;
  let most = 0;
  const process = async (job) => {
    most = Math.max(most, ++running);
    await job.updateProgress(1);
    await job.log('running');
    running--;
  };
  const workers = range(3).map(() => b.worker(process, { concurrency: 4, autorun: false }));
  let left = 60;
  const done = signal();
  for (const w of workers) w.on('completed', () => --left === 0 && done.fire());
  await queue.addBulk(range(60).map((n) => ({ name: 'job', data: { n } })));
  for (const w of workers) w.run();
  await done.fired;
  assert.ok(most <= 2, `${most} jobs at the same time`);
};

tests['what is kept and what is removed'] = async (b) => {
  const queue = b.queue({ defaultJobOptions: { removeOnComplete: { count: 3 }, removeOnFail: true } });
  const worker = b.worker(async (job) => {
    if (job.data.n % 2) throw new Error('odd');
  }, { autorun: false });
  let left = 20;
  const done = signal();
  for (const event of ['completed', 'failed']) worker.on(event, () => --left === 0 && done.fire());
  await queue.addBulk(range(20).map((n) => ({ name: 'job', data: { n } })));
  worker.run();
  await done.fired;
  assert.deepEqual(await queue.getJobCounts('completed', 'failed'), { completed: 3, failed: 0 });
  assert.deepEqual((await queue.getCompleted()).map((job) => job.data.n), [18, 16, 14]);
  assert.equal((await queue.clean(0, 2, 'completed')).length, 2);
  assert.equal(await queue.getCompletedCount(), 1);
  await worker.close();
  await queue.addBulk(range(50).map((n) => ({ name: 'job', data: { n }, opts: { delay: (n % 2) * 100_000, priority: n % 3 } })));
  assert.equal(await queue.count(), 50);
  await queue.drain(true);
  assert.equal(await queue.count(), 0);
  await queue.obliterate({ force: true });
  const redis = new IORedis(connection);
  assert.deepEqual(await redis.keys(`bull:${b.name}:*`), []);
  await redis.quit();
};

tests['metrics'] = async (b) => {
  const queue = b.queue();
  const worker = b.worker(async (job) => {
    if (job.data.n === 0) throw new Error('first');
  }, { autorun: false, metrics: { maxDataPoints: 10 } });
  const done = Promise.all([count(worker, 'completed', 9), count(worker, 'failed', 1)]);
  await queue.addBulk(range(10).map((n) => ({ name: 'job', data: { n } })));
  worker.run();
  await done;
  assert.equal((await queue.getMetrics('completed')).meta.count, 9);
  assert.equal((await queue.getMetrics('failed')).meta.count, 1);
  assert.equal((await queue.getWorkers()).length, 1);
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  if (only.length > 0 && !only.includes(name)) continue;
  const redis = new IORedis(connection);
  await redis.flushall();
  await redis.quit();
  const start = Date.now();
  const bench = new Bench(name);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${patienceMs} ms; errors: ${bench.errors.map(String)}`)), patienceMs);
  });
  let error;
  try {
    await Promise.race([test(bench), late]);
  } catch (e) {
    error = e;
  }
  try {
    await Promise.race([bench.close(), late]);
  } catch (e) {
    error ??= e;
  }
  clearTimeout(timer);
  late.catch(() => {});
  if (error) {
    failed++;
    console.log(error);
  }
  console.log(`--- ${error ? 'FAIL' : 'PASS'}: ${name} (${((Date.now() - start) / 1000).toFixed(2)}s)`);
}
process.exit(failed > 0 ? 1 : 0);
