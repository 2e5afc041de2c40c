// The script of the page at GET /: what a room earns now, and what streams have earned.
//
// It uses nothing but the public API, with the key of the person who signed in. It writes what the API sends as text, never as HTML.

const texts = {
  en: {
    navigation: 'Views', now: 'Now', streams: 'Streams', signOut: 'Sign out',
    signInTitle: 'Sign in', signIn: 'Sign in', apiKey: 'API key',
    signInHelp: 'See what hosts earn, while they are live and stream by stream.',
    keyNote: 'The key stays in this tab until you sign out or close the tab. It is never part of an address.',
    keyRefused: 'This key is not accepted', keyCharacters: 'An API key has only Latin letters, digits and punctuation.',
    nowTitle: 'Now', room: 'Room ID', accountOptional: 'Account (optional)', show: 'Show',
    accountNote: 'With an account, you see what this host has received; without one, the totals of the room.',
    coins: 'Coins', gifts: 'Gifts', senders: 'Senders', viewers: 'Viewers', likes: 'Likes',
    chartTitle: 'Coins over the last minutes', topSenders: 'Top senders', sender: 'Sender', share: 'Share',
    roomTitle: 'Room {room}', roomAccountTitle: '{account} in room {room}',
    live: 'Live · updated at {time}', asOf: 'Numbers as of {time}', ended: 'The stream ended at {time}. These numbers are remembered.',
    watching: 'Live numbers are shown, refreshed every 5 seconds.', pause: 'Pause', resume: 'Resume', paused: 'Paused · updated at {time}',
    gain: '+{coins} in {duration}', chartLabel: 'Line chart: {from} at {start}, {to} at {end}',
    noSenders: 'No gift has been recorded. If gifts are being sent, check that the gift webhook is set up.',
    noLedger: 'This deployment has no ledger, so it does not remember streams and senders.',
    seeStreams: 'If the stream is over, look under {link}.',
    streamsTitle: 'Streams', hostOptional: 'Host (optional)', month: 'Month', zone: 'Months and times are in the time zone {zone}.',
    allHosts: 'All hosts, {month}', oneHost: '{host}, {month}', downloadCSV: 'Download CSV', more: 'Load more streams',
    streamsCount: 'Streams', loadedCount: 'Streams loaded so far', noStreams: 'No stream ended in this month.',
    loaded: '{count} streams are shown.', preparing: 'The file is being prepared.', downloaded: 'The file has been downloaded.',
    endedAt: 'Ended', duration: 'Duration', reconciled: 'Reconciled', yes: 'Yes', no: 'No', unknown: 'unknown',
    back: 'All streams', hosts: 'Hosts', host: 'Host', source: 'Source', giftsByKind: 'Gifts by kind', gift: 'Gift',
    obtainedTitle: 'How these numbers were obtained', period: '{period} ({duration})', endOnly: 'Ended at {end}',
    noGifts: 'No gift was recorded for this stream.', noHosts: 'No host of this stream is known.',
    summaryID: 'Summary ID: {id}', notListed: 'This stream is not in the list of this month.',
    failed: 'The request failed', requestID: 'Request ID: {id}', detail: 'The server says: {detail}',
    tryAgain: 'Try again', waiting: 'Trying again in {duration}.',
    unreachable: 'The server cannot be reached.', unreadable: 'The answer does not come from giftstats.', status: 'The server answered with status {status}.',
    countCoins: (n, text) => `${text} ${n === 1 ? 'coin' : 'coins'}`, countGifts: (n, text) => `${text} ${n === 1 ? 'gift' : 'gifts'}`,
    hours: (h, m) => `${h} h ${m} min`, minutes: (m, s) => (s ? `${m} min ${s} s` : `${m} min`), seconds: s => `${s} s`,
    sources: { upstream: 'Tencent, after the end', ledger: 'Tencent, plus gifts recorded since', room: 'Totals of the room',
      snapshot: 'Tencent, while live' },
    fromUpstream: 'Tencent gave the numbers of {names} after the end of the stream. ',
    fromSnapshot: 'The numbers of {names} are the last ones that Tencent gave while the stream was live. ',
    fromLedger: 'The numbers of {names} are the last ones that Tencent gave while the stream was live, ' +
      'plus the gifts that were recorded after that. ',
    fromRoom: '{names} is the only account known to receive gifts in this stream, so its numbers are the totals of the room. ',
    fromRoomOthers: 'No gift to {names} is known. ',
    fromNothing: 'The numbers of {names} are not known. ',
    sumMatches: 'Together, the hosts have exactly the totals of the room.', oneMatches: 'They are exactly the totals of the room.',
    sumDiffers: 'They do not add up to the totals of the room. ', unattributed: '{gifts} and {coins} cannot be assigned to a host.',
    exceeds: 'The totals of the room differ by {gifts} and {coins}.',
    unchecked: 'The totals of the room are not known, so there is nothing to compare the numbers with.',
    problems: {
      invalid_request: 'The room ID, the account or another value is not valid. Correct it, and try again.',
      unauthenticated: 'The API key is missing or wrong. Enter it again, or ask your operators for a new one.',
      forbidden: 'The server does not permit this request. Ask your operators.',
      not_found: 'The server does not have what the page asked for, or it has no ledger. Ask your operators to check the deployment.',
      method_not_allowed: 'The server does not accept this kind of request. Reload the page.',
      payload_too_large: 'The request is too large. Ask for less at once.',
      unsupported_media_type: 'The server does not accept the format of this request. Reload the page.',
      room_not_found: 'There is no such room: it was never created, or it is over and Tencent has forgotten it. Check the room ID.',
      account_not_found: 'Tencent does not know this account. Check how it is written.',
      rate_limited: 'Too many requests were sent to Tencent. Wait a moment, and try again.',
      upstream_rejected: 'Tencent did not accept the request. Give the request ID to your operators.',
      upstream_credentials: 'Tencent does not accept the app, the administrator or the key. Ask your operators to correct the secret.',
      upstream_config: 'Tencent refuses this deployment. Ask your operators to check the region, the allowed addresses and the features of the app.',
      upstream_suspended: 'Tencent has suspended the app. Ask your operators to check its plan and its bill.',
      upstream_invalid_response: 'The answer of Tencent is not as documented. Try again. If that does not help, ask your operators.',
      upstream_unavailable: 'Tencent cannot be reached. Wait a moment, and try again.',
      secret_unavailable: 'The server cannot read its secret. Wait a moment, and try again. If that does not help, ask your operators.',
      ledger_unavailable: 'The ledger cannot be reached. Wait a moment, and try again. If that does not help, ask your operators.',
      upstream_timeout: 'Tencent did not answer in time. Try again.',
      internal: 'The server has a fault. Try again. If that does not help, give the request ID to your operators.',
    },
  },
  zh: {
    navigation: '视图', now: '实时', streams: '直播记录', signOut: '退出登录',
    signInTitle: '登录', signIn: '登录', apiKey: 'API 密钥',
    signInHelp: '查看主播的收入：直播中的实时数据，以及每一场的结果。',
    keyNote: '密钥只保存在当前标签页，退出登录或关闭标签页后即清除，绝不会出现在网址中。',
    keyRefused: '密钥无效', keyCharacters: 'API 密钥只包含英文字母、数字和半角标点。',
    nowTitle: '实时', room: '房间 ID', accountOptional: '账号（可选）', show: '查看',
    accountNote: '填写账号时显示该主播收到的礼物，不填则显示整个房间的合计。',
    coins: '金币', gifts: '礼物', senders: '送礼人数', viewers: '观看人次', likes: '点赞',
    chartTitle: '最近几分钟的金币', topSenders: '送礼榜', sender: '送礼人', share: '占比',
    roomTitle: '房间 {room}', roomAccountTitle: '房间 {room} 中的 {account}',
    live: '直播中 · 更新于 {time}', asOf: '数据截至 {time}', ended: '直播已于 {time} 结束，以下为保存的数据。',
    watching: '正在显示实时数据，每 5 秒刷新一次。', pause: '暂停', resume: '继续', paused: '已暂停 · 更新于 {time}',
    gain: '{duration}内 +{coins}', chartLabel: '折线图：{start} 为 {from}，{end} 为 {to}',
    noSenders: '尚无礼物记录。如果已经有人送礼，请检查是否配置了礼物 webhook。',
    noLedger: '当前部署没有启用账本，因此不保存直播记录和送礼人。',
    seeStreams: '如果直播已经结束，请到{link}中查看。',
    streamsTitle: '直播记录', hostOptional: '主播（可选）', month: '月份', zone: '月份和时间按时区 {zone} 计算。',
    allHosts: '全部主播，{month}', oneHost: '{host}，{month}', downloadCSV: '下载 CSV', more: '加载更多',
    streamsCount: '场次', loadedCount: '已加载场次', noStreams: '这个月没有已结束的直播。',
    loaded: '已显示 {count} 场直播。', preparing: '正在生成文件。', downloaded: '文件已下载。',
    endedAt: '结束时间', duration: '时长', reconciled: '对账一致', yes: '是', no: '否', unknown: '未知',
    back: '全部直播', hosts: '主播', host: '主播', source: '来源', giftsByKind: '各类礼物', gift: '礼物',
    obtainedTitle: '数据来源', period: '{period}（{duration}）', endOnly: '结束于 {end}',
    noGifts: '本场没有礼物记录。', noHosts: '本场没有已知的主播。',
    summaryID: '汇总 ID：{id}', notListed: '这场直播不在本月的列表中。',
    failed: '请求失败', requestID: '请求 ID：{id}', detail: '服务器的说明（英文）：{detail}', tryAgain: '重试', waiting: '{duration}后重试。',
    unreachable: '无法连接服务器。', unreadable: '返回的内容不是来自 giftstats。', status: '服务器返回状态码 {status}。',
    countCoins: (_, text) => `${text} 金币`, countGifts: (_, text) => `${text} 个礼物`,
    hours: (h, m) => `${h} 小时 ${m} 分`, minutes: (m, s) => (s ? `${m} 分 ${s} 秒` : `${m} 分钟`), seconds: s => `${s} 秒`,
    sources: { upstream: '腾讯（结束后）', ledger: '腾讯，加上此后记录的礼物', room: '房间合计', snapshot: '腾讯（直播中）' },
    fromUpstream: '{names} 的数据由腾讯在直播结束后给出。',
    fromSnapshot: '{names} 的数据是直播期间腾讯最后一次给出的。',
    fromLedger: '{names} 的数据是直播期间腾讯最后一次给出的，加上此后记录到的礼物。',
    fromRoom: '{names} 是本场唯一已知收到礼物的账号，因此其数据就是房间的合计。',
    fromRoomOthers: '没有发现送给 {names} 的礼物。',
    fromNothing: '{names} 的数据未知。',
    sumMatches: '各主播之和与房间合计完全一致。', oneMatches: '与房间合计完全一致。',
    sumDiffers: '各主播之和与房间合计不一致。', unattributed: '有 {gifts}、{coins}无法归到任何主播。',
    exceeds: '房间合计相差 {gifts}、{coins}。',
    unchecked: '房间的合计未知，因此无法核对。',
    problems: {
      invalid_request: '房间 ID、账号或其他内容无效。请改正后重试。',
      unauthenticated: 'API 密钥缺失或错误。请重新输入，或向运维人员索取新的密钥。',
      forbidden: '服务器不允许此请求。请联系运维人员。',
      not_found: '服务器没有所请求的内容，或没有启用账本。请运维人员检查部署。',
      method_not_allowed: '服务器不接受这种请求。请刷新页面。',
      payload_too_large: '请求内容过大。请减少一次查询的数量。',
      unsupported_media_type: '服务器不接受此请求的格式。请刷新页面。',
      room_not_found: '没有这个房间：它从未创建，或者直播已经结束，腾讯已不再保留。请检查房间 ID。',
      account_not_found: '腾讯没有这个账号。请检查账号是否正确。',
      rate_limited: '发给腾讯的请求过多。请稍后重试。',
      upstream_rejected: '腾讯没有接受此请求。请将请求 ID 告知运维人员。',
      upstream_credentials: '腾讯不接受所配置的应用、管理员或密钥。请运维人员改正密钥配置。',
      upstream_config: '腾讯拒绝了当前部署的请求。请运维人员检查地域、IP 白名单和应用已开通的功能。',
      upstream_suspended: '应用已被腾讯停用。请运维人员检查套餐和账单。',
      upstream_invalid_response: '腾讯返回的内容与文档不符。请重试；如果仍然失败，请联系运维人员。',
      upstream_unavailable: '无法连接腾讯。请稍后重试。',
      secret_unavailable: '服务器无法读取密钥配置。请稍后重试；如果仍然失败，请联系运维人员。',
      ledger_unavailable: '无法访问账本。请稍后重试；如果仍然失败，请联系运维人员。',
      upstream_timeout: '腾讯没有及时响应。请重试。',
      internal: '服务器内部出错。请重试；如果仍然失败，请将请求 ID 告知运维人员。',
    },
  },
};

const chinese = /^zh\b/i.test(navigator.language);
const words = texts[chinese ? 'zh' : 'en'];
const locale = chinese || /^en\b/i.test(navigator.language) ? navigator.language : 'en';
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
document.documentElement.lang = chinese ? 'zh-CN' : 'en';

const refreshEvery = 5_000; // ms
const longestWait = 60_000; // ms, between attempts that fail
const chartSpan = 600; // s
const sendersShown = 10;
const monthsShown = 36;
const keyName = 'giftstats.key';

// ---- Text and elements ----

const $ = id => document.getElementById(id);

// element returns an element with attributes, and with children that are elements or texts.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

// id returns an id of the API as an element, so that its direction does not affect the text around it, and no browser translates it.
const id = value => element('bdi', { translate: 'no' }, value);

// phrase returns a text with values, which may be elements or lists of them, in the places of its {names}.
const phrase = (template, values) => template.split(/\{(\w+)\}/).flatMap((part, i) => (i % 2 ? values[part] : part));

const plain = (template, values) => phrase(template, values).join('');

// number marks what JSON.parse has rounded: JavaScript has no exact numbers from 2^53 on.
const number = n => `${Number.isSafeInteger(n) ? '' : '≈ '}${new Intl.NumberFormat(locale).format(n)}`;
const coins = n => words.countCoins(n, number(n));
const gifts = n => words.countGifts(n, number(n));
const dateTime = time => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
const dayTime = time => new Intl.DateTimeFormat(locale, {
  month: 'short', day: 'numeric', hour: chinese ? '2-digit' : 'numeric', minute: '2-digit',
}).format(new Date(time));
const period = (start, end) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
  .formatRange(new Date(start), new Date(end));
const clock = time => new Intl.DateTimeFormat(locale, { timeStyle: 'medium' }).format(new Date(time));
const monthName = date => new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long' }).format(date);

function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds >= 3600) return words.hours(Math.floor(seconds / 3600), Math.floor(seconds % 3600 / 60));
  return seconds >= 60 ? words.minutes(Math.floor(seconds / 60), seconds % 60) : words.seconds(seconds);
}

// names returns a list of accounts as a language writes it: a, b and c.
function names(accounts) {
  const parts = new Intl.ListFormat(locale, { type: 'conjunction' }).formatToParts(accounts);
  return parts.map(({ type, value }) => (type === 'element' ? id(value) : value.replace('和', ' 和 ')));
}

// showNumbers fills a list with pairs of a name and a number. Numbers that are not known are left out.
function showNumbers(list, pairs) {
  const known = pairs.filter(([, value]) => value !== undefined);
  list.replaceChildren(...known.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, number(value)))));
}

// table returns a table with a caption for screen readers. A column has a title and a class. The first cell of a row is its header.
function table(caption, columns, rows) {
  const head = columns.map(({ title, type = '' }) => element('th', { scope: 'col', class: type }, title));
  const body = rows.map(cells => element('tr', {}, ...cells.map((cell, i) =>
    element(i ? 'td' : 'th', { class: columns[i].type ?? '', ...(i ? {} : { scope: 'row' }) }, ...[cell].flat()))));
  return element('table', {}, element('caption', { class: 'hidden' }, caption),
    element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...body));
}

// share returns a bar that shows a part of the greatest value. The number is in the cell before it.
function share(value, greatest) {
  const bar = element('div');
  bar.style.width = `${greatest > 0 && value > 0 ? 100 * value / greatest : 0}%`;
  bar.hidden = !(value > 0);
  return element('div', { 'aria-hidden': 'true' }, bar);
}

const shareColumn = { title: element('span', { class: 'hidden' }, words.share), type: 'share wide' };
const numberColumn = title => ({ title, type: 'number' });
const greatestOf = values => Math.max(0, ...values.filter(value => value !== undefined));

// sendersTable returns the ranking of senders, or a text if there is none.
function sendersTable(senders) {
  if (!senders.length) return element('p', { class: 'muted' }, words.noSenders);
  const greatest = greatestOf(senders.map(sender => sender.total_coins));
  return table(words.topSenders, [{ title: words.sender }, numberColumn(words.gifts), numberColumn(words.coins), copyOf(shareColumn)],
    senders.map(sender =>
      [id(sender.account), number(sender.total_count), number(sender.total_coins), share(sender.total_coins, greatest)]));
}

const copyOf = column => ({ ...column, title: column.title.cloneNode(true) });

// ---- The API ----

// Problem is why a call failed. Its message is the detail of the RFC 9457 problem, if the answer is one.
class Problem extends Error {
  constructor(detail, { status = 0, code = '', requestID = '', retryable = false, retryAfter = 0 } = {}) {
    super(detail);
    Object.assign(this, { status, code, requestID, retryable, retryAfter });
  }
}

// call sends a GET request, and returns the headers and the text of the answer. It throws a Problem unless the answer is a success.
async function call(path, parameters, { accept = 'application/json', signal, key = sessionStorage.getItem(keyName) } = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== '' && value !== undefined);
  let response;
  let text;
  try {
    response = await fetch(`${path}?${new URLSearchParams(given)}`, {
      headers: { Authorization: `Bearer ${key}`, Accept: accept }, cache: 'no-store', redirect: 'error', signal,
    });
    text = await response.text();
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new Problem(words.unreachable, { retryable: true });
  }
  if (!response.ok) throw problemOf(response, text);
  return { headers: response.headers, text };
}

// ask calls and returns what the JSON of the answer says.
async function ask(path, parameters, options) {
  const { text } = await call(path, parameters, options);
  const answer = parse(text);
  if (!answer) throw new Problem(words.unreadable, { retryable: true });
  return answer;
}

// parse returns the object that a text of JSON describes, or undefined if it is something else.
function parse(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return undefined;
  }
}

// problemOf reads a problem. Gateways also answer with other bodies, and with 432 for too many requests.
function problemOf({ status, headers }, text) {
  const body = parse(text) ?? {};
  return new Problem(typeof body.detail === 'string' ? body.detail : plain(words.status, { status }), {
    status, code: body.code ?? '', retryAfter: Number(headers.get('Retry-After')) || 0,
    requestID: body.request_id ?? headers.get('X-Request-Id') ?? headers.get('Apigw-Requestid') ?? '',
    retryable: body.retryable ?? (status === 429 || status === 432 || status >= 500),
  });
}

// explained returns paragraphs: what a code of the API means and what to do, in the language of the page, and then the detail of the
// server, which is English. Without a code that the page knows, there is only the detail.
function explained(code, detail) {
  const known = Object.hasOwn(words.problems, code);
  const paragraphs = known ? [element('p', {}, words.problems[code])] : [];
  if (!detail) return paragraphs;
  const said = code ? element('span', { lang: 'en', dir: 'auto' }, detail) : detail;
  return [...paragraphs, known ? element('p', { class: 'muted' }, ...phrase(words.detail, { detail: said })) : element('p', {}, said)];
}

// showError shows a problem in a box, or clears the box if there is none.
function showError(box, problem, { title = words.failed, after = [], again } = {}) {
  box.replaceChildren();
  if (!problem) return;
  box.append(element('p', {}, element('strong', {}, title)), ...explained(problem.code, problem.message));
  for (const line of after) box.append(element('p', {}, ...line));
  if (problem.requestID) box.append(element('p', { class: 'muted' }, ...phrase(words.requestID, { id: id(problem.requestID) })));
  if (again) {
    const button = element('button', { type: 'button' }, words.tryAgain);
    button.addEventListener('click', again);
    box.append(button);
  }
}

const errorBox = view => $(view).querySelector('.error');

// ---- Signing in ----

async function signIn(event) {
  event.preventDefault();
  const box = errorBox('sign-in');
  const key = $('key').value.trim();
  showError(box);
  if (!/^[!-~]+$/.test(key)) {
    showError(box, new Problem(words.keyCharacters), { title: words.keyRefused });
    return;
  }
  const button = $('sign-in').querySelector('button');
  button.disabled = true;
  try {
    await ask('v1/streams', { limit: 1 }, { key });
  } catch (problem) {
    // The key is checked before the ledger is needed.
    if (!['not_found', 'ledger_unavailable'].includes(problem.code)) {
      const refused = problem.status === 401 || problem.status === 403;
      showError(box, problem, refused ? { title: words.keyRefused } : {});
      $('key').focus();
      return;
    }
  } finally {
    button.disabled = false;
  }
  sessionStorage.setItem(keyName, key);
  $('key').value = '';
  route();
}

const isSignedIn = () => sessionStorage.getItem(keyName) !== null;

// signOut forgets the key. To load the page again is the surest way to forget everything else.
function signOut() {
  sessionStorage.removeItem(keyName);
  history.replaceState(null, '', location.pathname);
  location.reload();
}

// refused asks for another key if the server does not accept the present one. It returns whether that is so.
function refused(problem) {
  if (problem.status !== 401) return false;
  sessionStorage.removeItem(keyName);
  route();
  showError(errorBox('sign-in'), problem, { title: words.keyRefused });
  return true;
}

// ---- Now ----

// Watch shows the numbers of a room, and of an account if one is given, and refreshes them while the page is visible.
class Watch {
  samples = []; // { time, coins }
  failures = 0;
  controller = new AbortController();

  constructor(room, account) {
    Object.assign(this, { room, account });
    this.chart = new Chart($('chart'));
    for (const part of ['live-numbers', 'live-senders', 'live-state', 'live-status', 'gain']) $(part).replaceChildren();
    $('live-title').replaceChildren(
      ...phrase(account ? words.roomAccountTitle : words.roomTitle, { room: id(room), account: id(account) }));
    $('live').hidden = true;
    showError(errorBox('now'));
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.controller.abort();
    this.chart.remove();
  }

  async refresh() {
    if (this.busy) return;
    clearTimeout(this.timer);
    this.busy = true;
    try {
      const numbers = await this.numbers();
      const senders = await this.senders();
      if (!this.stopped) this.succeed(numbers, senders);
    } catch (problem) {
      if (!this.stopped) this.fail(problem);
    } finally {
      this.busy = false;
    }
  }

  async numbers() {
    const parameters = { room_id: this.room, account: this.account };
    const answer = await ask(this.account ? 'v1/gift-stats' : 'v1/room-stats', parameters, { signal: this.controller.signal });
    if (this.account) return answer;
    return {
      ...answer, total_coins: answer.total_gift_coins, total_count: answer.total_gifts_sent,
      gift_sender_count: answer.total_unique_gift_senders,
    };
  }

  // senders returns the top senders, or an element that says why there are none. It does not ask again if there is no ledger, and
  // waits after a failure, because the other numbers matter more.
  async senders() {
    if (this.noSenders && Date.now() < this.askSendersAt) return this.noSenders;
    try {
      const parameters = { room_id: this.room, account: this.account, limit: sendersShown };
      return sendersTable((await ask('v1/top-senders', parameters, { signal: this.controller.signal })).senders);
    } catch (problem) {
      if (problem.code === 'room_not_found') return sendersTable([]);
      if (!(problem instanceof Problem) || problem.status === 401) throw problem;
      const noLedger = problem.code === 'not_found';
      this.askSendersAt = noLedger ? Infinity : Date.now() + Math.max(longestWait, 1000 * problem.retryAfter);
      this.noSenders = noLedger ? element('p', { class: 'muted' }, words.noLedger)
        : element('div', {}, ...explained(problem.code, problem.message));
      return this.noSenders;
    }
  }

  succeed(numbers, senders) {
    this.failures = 0;
    this.ended = Boolean(numbers.ended_at);
    this.updated = new Date();
    showError(errorBox('now'));
    showNumbers($('live-numbers'), [
      [words.coins, numbers.total_coins], [words.gifts, numbers.total_count], [words.senders, numbers.gift_sender_count],
      [words.viewers, numbers.total_viewers], [words.likes, numbers.total_likes_received],
    ]);
    $('live-senders').replaceChildren(senders);
    if (this.ended) {
      $('live-state').textContent = plain(words.ended, { time: dateTime(numbers.ended_at) });
      this.announce($('live-state').textContent);
    } else {
      this.asOf = numbers.as_of;
      this.showState();
      this.announce(words.watching);
    }
    $('live').hidden = false;
    $('chart').parentElement.hidden = this.ended && !this.samples.length;
    $('pause').hidden = this.ended;
    if (!this.ended) this.draw(numbers.total_coins);
    this.plan(refreshEvery);
  }

  fail(problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (refused(problem)) return;
    this.failures++;
    const wait = Math.max(1000 * problem.retryAfter, Math.min(longestWait, refreshEvery * 2 ** this.failures));
    const after = [];
    if (problem.code === 'room_not_found') {
      after.push(phrase(words.seeStreams, { link: element('a', { href: '#/streams' }, words.streams) }));
    }
    if (problem.retryable) {
      after.push([plain(words.waiting, { duration: duration(wait) })]);
      this.plan(wait);
    }
    showError(errorBox('now'), problem, { after, again: () => this.refresh() });
  }

  // plan plans the next refresh. While the page is hidden or paused, resume has to be called.
  plan(wait) {
    this.due = Date.now() + wait;
    this.resume();
  }

  resume() {
    clearTimeout(this.timer);
    if (this.due && !this.ended && !this.paused && !document.hidden) {
      this.timer = setTimeout(() => this.refresh(), Math.max(0, this.due - Date.now()));
    }
  }

  pause() {
    this.paused = !this.paused;
    this.showState();
    this.resume();
  }

  showState() {
    const state = this.paused ? words.paused : this.asOf ? words.asOf : words.live;
    $('live-state').textContent = plain(state, { time: clock(this.paused ? this.updated : this.asOf ?? this.updated) });
    $('pause').textContent = this.paused ? words.resume : words.pause;
  }

  // announce tells screen readers what has changed in general. Every number, every 5 seconds, would be too much.
  announce(message) {
    if ($('live-status').textContent !== message) $('live-status').textContent = message;
  }

  draw(total) {
    const now = Date.now() / 1000;
    this.samples.push({ time: now, coins: total });
    this.samples = this.samples.filter(sample => sample.time >= now - chartSpan);
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (this.samples.length > 1) {
      $('gain').textContent = plain(words.gain, { coins: coins(last.coins - first.coins), duration: duration(1000 * (now - first.time)) });
    }
    $('chart').setAttribute('aria-label', plain(words.chartLabel, {
      from: coins(first.coins), start: clock(1000 * first.time), to: coins(last.coins), end: clock(1000 * now),
    }));
    this.chart.draw(this.samples);
  }
}

// around returns a range for a number that does not change.
const around = n => [n - Math.max(5, n / 100), n + Math.max(5, n / 100)];

// Chart draws samples with uPlot, in the colors of the page.
class Chart {
  constructor(place) {
    this.place = place;
    this.observer = new ResizeObserver(() => this.plot?.setSize(this.size()));
    this.observer.observe(place);
  }

  size() {
    return { width: this.place.clientWidth, height: this.place.clientHeight };
  }

  draw(samples) {
    this.data = [samples.map(sample => sample.time), samples.map(sample => sample.coins)];
    if (this.plot) this.plot.setData(this.data);
    else this.plot = new uPlot(this.options(), this.data, this.place);
  }

  // repaint draws in other colors.
  repaint() {
    this.plot?.destroy();
    this.plot = undefined;
    if (this.data) this.plot = new uPlot(this.options(), this.data, this.place);
  }

  options() {
    const style = getComputedStyle(this.place);
    const color = name => style.getPropertyValue(name).trim();
    const axis = { font: `12px ${style.fontFamily}`, stroke: color('--muted'), ticks: { show: false } };
    const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
    const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 3 });
    return {
      ...this.size(), padding: [8, 4, 0, 0], legend: { show: false }, cursor: { show: false },
      scales: {
        x: { range: (_, least, most) => [least, Math.max(most, least + 60)] },
        y: { range: (_, least, most) => (most > least ? uPlot.rangeNum(least, most, 0.1, true) : around(most)) },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 28, incrs: [60, 120, 300], space: 70,
          values: (_, ticks) => ticks.map(tick => time.format(1000 * tick)) },
        { ...axis, grid: { stroke: color('--line'), width: 1 }, size: 56,
          incrs: [...Array(16).keys()].flatMap(zeros => [1, 2, 5].map(n => n * 10 ** zeros)), // whole coins
          values: (_, ticks) => ticks.map(tick => compact.format(tick)) },
      ],
      series: [{}, { stroke: color('--accent'), width: 2, points: { show: plot => plot.data[0].length < 2 } }],
    };
  }

  remove() {
    this.observer.disconnect();
    this.plot?.destroy();
  }
}

let watch; // the room that is shown

function openNow({ room_id: room = '', account = '' }, again) {
  $('room').value = room;
  $('account').value = account;
  if (watch && !again && watch.room === room && watch.account === account) {
    watch.resume();
    return;
  }
  closeNow();
  $('live').hidden = true;
  if (!room) return;
  watch = new Watch(room, account);
  watch.refresh();
}

function closeNow() {
  watch?.stop();
  watch = undefined;
}

// ---- Streams ----

const list = { sort: 'ended_at', descending: true }; // also account, month, streams, next, and the sums

const monthOf = date => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}`;

// range returns the beginning of a month like 2026-11 and that of the next one, in the time zone of the browser.
function range(month) {
  const [year, ordinal] = month.split('-').map(Number);
  return { from: new Date(year, ordinal - 1, 1).toISOString(), to: new Date(year, ordinal, 1).toISOString() };
}

// openStreams shows the streams of a month, or one of them.
async function openStreams({ account = '', month = monthOf(new Date()), stream = '' }, again) {
  if (![...$('month').options].some(option => option.value === month)) month = monthOf(new Date());
  $('host').value = account;
  $('month').value = month;
  if (again || list.account !== account || list.month !== month) {
    Object.assign(list, { account, month, streams: [], next: undefined, loaded: false, total_count: 0, total_coins: 0 });
    $('list').hidden = true;
  }
  const asked = location.hash;
  try {
    while (!list.loaded || stream && list.next && !list.streams.some(one => one.event_id === stream)) await loadStreams();
  } catch (problem) {
    failStreams(problem, () => openStreams({ account, month, stream }));
    return;
  }
  if (location.hash !== asked || !isSignedIn()) return; // another view has been asked for meanwhile
  showStreams();
  const found = list.streams.find(one => one.event_id === stream);
  if (found) showStream(found);
  if (stream && !found) showError(errorBox('streams'), new Problem(''), { title: words.notListed });
}

function failStreams(problem, again) {
  if (problem.name === 'AbortError') return;
  if (!(problem instanceof Problem)) throw problem;
  if (refused(problem)) return;
  if (problem.code === 'not_found') showError(errorBox('streams'), problem, { title: words.noLedger });
  else showError(errorBox('streams'), problem, { again });
}

// loadStreams appends the next page. A page that is no longer wanted when it arrives is dropped.
async function loadStreams() {
  const { account, month } = list;
  showError(errorBox('streams'));
  list.controller?.abort();
  list.controller = new AbortController();
  const parameters = { account, ...range(month), cursor: list.next };
  const page = await ask('v1/streams', parameters, { signal: list.controller.signal });
  if (list.account !== account || list.month !== month) return;
  list.loaded = true;
  list.streams.push(...page.streams);
  list.next = page.next;
  list.total_count += page.total_count;
  list.total_coins += page.total_coins;
}

// earned returns what the host that was asked for, or else all hosts, earned in a stream. It is undefined if nothing is known.
function earned(stream, field) {
  const accounts = stream.accounts.filter(({ account }) => !list.account || account === list.account);
  const known = accounts.map(account => account[field]).filter(value => value !== undefined);
  return known.length ? known.reduce((sum, value) => sum + value) : undefined;
}

const lengthOf = stream => (stream.started_at ? new Date(stream.ended_at) - new Date(stream.started_at) : undefined);
const orUnknown = (value, format) => (value === undefined ? words.unknown : format(value));
const yesNo = reconciled => (reconciled === undefined ? words.unknown : reconciled ? words.yes : words.no);

// The columns of streams, with what to sort by.
const columns = [
  { key: 'ended_at', title: words.endedAt, type: '', value: stream => stream.ended_at },
  { key: 'room', title: words.room, type: '', value: stream => stream.room_id },
  { key: 'duration', title: words.duration, type: 'number wide', value: lengthOf },
  { key: 'gifts', title: words.gifts, type: 'number', value: stream => earned(stream, 'total_count') },
  { key: 'coins', title: words.coins, type: 'number', value: stream => earned(stream, 'total_coins') },
  { key: 'share', title: words.share, type: 'share wide' },
  { key: 'reconciled', title: words.reconciled, type: 'wide', value: stream => stream.reconciled },
];

function sorted(streams) {
  const { value } = columns.find(column => column.key === list.sort);
  const compare = (a, b) => (typeof a === 'string' ? a.localeCompare(b, locale) : a - b);
  return [...streams].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined); // what is not known is at the end
    return list.descending ? compare(b, a) : compare(a, b);
  });
}

function showStreams() {
  const month = monthName(new Date(range(list.month).from));
  $('list-title').replaceChildren(...phrase(list.account ? words.oneHost : words.allHosts, { host: id(list.account), month }));
  showNumbers($('list-numbers'), [
    [list.next ? words.loadedCount : words.streamsCount, list.streams.length], [words.gifts, list.total_count],
    [words.coins, list.total_coins],
  ]);
  $('list-table').replaceChildren(list.streams.length ? streamsTable() : element('p', { class: 'muted' }, words.noStreams));
  $('list').hidden = false;
  $('csv').hidden = !list.streams.length;
  $('more').hidden = !list.next;
  $('streams-status').textContent = list.streams.length ? plain(words.loaded, { count: number(list.streams.length) }) : words.noStreams;
}

function streamsTable() {
  const greatest = greatestOf(list.streams.map(stream => earned(stream, 'total_coins')));
  const made = table($('list-title').textContent, columns, sorted(list.streams).map(stream => [
    element('a', { href: address('streams', { account: list.account, month: list.month, stream: stream.event_id }) },
      dayTime(stream.ended_at)),
    id(stream.room_id), orUnknown(lengthOf(stream), duration),
    orUnknown(earned(stream, 'total_count'), number), orUnknown(earned(stream, 'total_coins'), number),
    share(earned(stream, 'total_coins'), greatest), yesNo(stream.reconciled),
  ]));
  made.querySelectorAll('thead th').forEach((header, i) => makeSortable(header, columns[i]));
  for (const row of made.tBodies[0].rows) {
    row.addEventListener('click', event => event.target.closest('a') ?? row.querySelector('a').click());
  }
  made.classList.add('choice');
  return made;
}

function makeSortable(header, { key, title, value }) {
  if (!value) {
    header.replaceChildren(element('span', { class: 'hidden' }, title));
    return;
  }
  const button = element('button', { type: 'button', id: `sort-${key}` }, title);
  header.replaceChildren(button);
  if (list.sort === key) header.setAttribute('aria-sort', list.descending ? 'descending' : 'ascending');
  button.addEventListener('click', () => {
    list.descending = list.sort === key ? !list.descending : key !== 'room';
    list.sort = key;
    showStreams();
    $(`sort-${key}`).focus();
  });
}

async function loadMore() {
  $('more').disabled = true;
  try {
    await loadStreams();
    showStreams();
  } catch (problem) {
    failStreams(problem, loadMore);
  } finally {
    $('more').disabled = false;
  }
}

// downloadCSV saves all streams of the month as one file. The key is a header, so the address of the file cannot simply be opened.
async function downloadCSV() {
  const { account, month } = list;
  $('csv').disabled = true;
  showError(errorBox('streams'));
  $('streams-status').textContent = words.preparing;
  try {
    const parts = ['\uFEFF']; // without it, Excel does not read UTF-8
    for (let cursor, more = true; more;) {
      const { headers, text } = await call('v1/streams', { account, ...range(month), limit: 1000, cursor }, { accept: 'text/csv' });
      parts.push(cursor ? text.slice(text.indexOf('\n') + 1) : text); // the first row has the names of the columns
      const next = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(headers.get('Link'));
      more = Boolean(next);
      cursor = next && decodeURIComponent(next[1]);
    }
    const file = URL.createObjectURL(new Blob(parts, { type: 'text/csv;charset=utf-8' }));
    const name = ['giftstats', account.replace(/[^\w.-]+/g, '_'), month].filter(Boolean).join('-');
    element('a', { href: file, download: `${name}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(file), longestWait);
    $('streams-status').textContent = words.downloaded;
  } catch (problem) {
    $('streams-status').textContent = '';
    failStreams(problem, downloadCSV);
  } finally {
    $('csv').disabled = false;
  }
}

// ---- One stream ----

function showStream(stream) {
  $('streams').hidden = true;
  $('stream').hidden = false;
  $('back').setAttribute('href', address('streams', { account: list.account, month: list.month }));
  $('stream-title').replaceChildren(...phrase(words.roomTitle, { room: id(stream.room_id) }));
  showTitle('stream');
  $('stream-times').textContent = stream.started_at
    ? plain(words.period, { period: period(stream.started_at, stream.ended_at), duration: duration(lengthOf(stream)) })
    : plain(words.endOnly, { end: dateTime(stream.ended_at) });
  const room = stream.room ?? {};
  showNumbers($('stream-numbers'), [
    [words.coins, room.total_gift_coins], [words.gifts, room.total_gifts_sent], [words.senders, room.total_unique_gift_senders],
    [words.viewers, room.total_viewers], [words.likes, room.total_likes_received],
  ]);
  $('obtained').replaceChildren(...obtained(stream));
  $('stream-hosts').replaceChildren(stream.accounts.length ? hostsTable(stream.accounts) : element('p', { class: 'muted' }, words.noHosts));
  $('stream-senders').replaceChildren(stream.top_senders?.length ? sendersTable(stream.top_senders)
    : element('p', { class: 'muted' }, words.noGifts));
  $('stream-gifts').replaceChildren(stream.gifts?.length ? giftsTable(stream.gifts) : element('p', { class: 'muted' }, words.noGifts));
  $('stream-id').replaceChildren(...phrase(words.summaryID, { id: id(stream.event_id) }));
}

function hostsTable(accounts) {
  const titles = [{ title: words.host }, numberColumn(words.gifts), numberColumn(words.coins),
    { title: words.senders, type: 'number wide' }, { title: words.source, type: 'wide' }];
  return table(words.hosts, titles, accounts.map(account => [
    id(account.account), orUnknown(account.total_count, number), orUnknown(account.total_coins, number),
    orUnknown(account.gift_sender_count, number),
    account.error ? explained(account.error.code, account.error.detail) : words.sources[account.from] ?? account.from,
  ]));
}

function giftsTable(kinds) {
  const greatest = greatestOf(kinds.map(kind => kind.total_coins));
  return table(words.giftsByKind, [{ title: words.gift }, numberColumn(words.gifts), numberColumn(words.coins), copyOf(shareColumn)],
    kinds.map(kind => [id(kind.gift_id), number(kind.total_count), number(kind.total_coins), share(kind.total_coins, greatest)]));
}

// obtained says in sentences where the numbers come from, and whether they add up.
function obtained({ accounts, reconciled, unattributed }) {
  const sentences = [];
  const sources = {
    upstream: words.fromUpstream, snapshot: words.fromSnapshot, ledger: words.fromLedger, room: words.fromRoom, others: words.fromRoomOthers,
    none: words.fromNothing,
  };
  const several = accounts.filter(({ from }) => from === 'room').length > 1; // the owner, and members who only took a seat
  const sourceOf = ({ error, from, total_count: count }) => (error ? 'none' : from === 'room' && several && !count ? 'others' : from);
  for (const [source, template] of Object.entries(sources)) {
    const from = accounts.filter(account => sourceOf(account) === source);
    if (from.length) sentences.push(...phrase(template, { names: names(from.map(({ account }) => account)) }));
  }
  if (reconciled === undefined) return [...sentences, words.unchecked];
  if (reconciled) return [...sentences, accounts.length > 1 ? words.sumMatches : words.oneMatches];
  const { total_count: count = 0, total_coins: value = 0 } = unattributed ?? {};
  const rest = count >= 0 && value >= 0 ? words.unattributed : words.exceeds;
  return [...sentences, words.sumDiffers, ...(unattributed ? phrase(rest, { gifts: gifts(count), coins: coins(value) }) : [])];
}

// ---- Views ----

// address returns the address of a view. Nothing behind # is sent to the server.
function address(view, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  return `#/${view}${given.length ? `?${new URLSearchParams(given)}` : ''}`;
}

// route shows the view that the address names. With again, it also asks for the numbers again.
function route(again = false) {
  const [, view, query] = /^#\/(\w+)(?:\?(.*))?$/.exec(location.hash) ?? [];
  const signedIn = isSignedIn();
  const shown = !signedIn ? 'sign-in' : view === 'streams' ? 'streams' : 'now';
  for (const section of document.querySelectorAll('main > section')) section.hidden = section.id !== shown;
  $('nav').hidden = $('sign-out').hidden = !signedIn;
  for (const link of $('nav').children) {
    if (link.hash === `#/${shown}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  showTitle(shown);
  if (shown !== 'now') closeNow();
  const parameters = Object.fromEntries(new URLSearchParams(query));
  if (shown === 'now') openNow(parameters, again);
  if (shown === 'streams') openStreams(parameters, again);
}

const showTitle = view => {
  document.title = `${$(view).querySelector('h1').textContent} – giftstats`;
};

// go opens a view, also if its address has not changed.
function go(view, parameters) {
  const next = address(view, parameters);
  if (location.hash === next) route(true);
  else location.hash = next;
}

function start() {
  for (const part of document.querySelectorAll('[data-text]')) part.textContent = words[part.dataset.text];
  for (const part of document.querySelectorAll('[data-label]')) part.setAttribute('aria-label', words[part.dataset.label]);
  $('host-note').textContent = plain(words.zone, { zone });
  const today = new Date();
  for (let i = 0; i < monthsShown; i++) {
    const month = new Date(today.getFullYear(), today.getMonth() - i, 1);
    $('month').append(element('option', { value: monthOf(month) }, monthName(month)));
  }
  $('sign-in').querySelector('form').addEventListener('submit', signIn);
  $('sign-out').addEventListener('click', signOut);
  $('now').querySelector('form').addEventListener('submit', event => {
    event.preventDefault();
    go('now', { room_id: $('room').value, account: $('account').value });
  });
  $('streams').querySelector('form').addEventListener('submit', event => {
    event.preventDefault();
    go('streams', { account: $('host').value, month: $('month').value });
  });
  $('pause').addEventListener('click', () => watch?.pause());
  $('more').addEventListener('click', loadMore);
  $('csv').addEventListener('click', downloadCSV);
  document.addEventListener('visibilitychange', () => watch?.resume());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => watch?.chart.repaint());
  addEventListener('hashchange', () => {
    route();
    document.querySelector('main > section:not([hidden]) h1').focus();
  });
  route();
}

start();
