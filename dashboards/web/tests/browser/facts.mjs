// What a service has to show, as its API says.

/** An answer of the API; `token` for one that wants to know who asks. */
export async function ask(url, path, { token, ...init } = {}) {
  const headers = { accept: "application/json", ...init.headers };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const response = await fetch(url + path, { ...init, headers });
  const body = await response.text();
  if (!response.ok) throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} ${body}`);
  return body === "" ? undefined : JSON.parse(body);
}

/** Does something. */
export function act(url, path, content, options = {}) {
  const headers = { "content-type": "application/json", ...options.headers };
  return ask(url, path, { ...options, method: options.method ?? "POST", headers, body: JSON.stringify(content) });
}

/** One of each; undefined where there is none. */
export async function facts(url, token) {
  const options = token === undefined ? {} : { token };
  const usage = await ask(url, "/v1/usage?limit=1", options);
  const closed = shift(usage.period, -1);
  const [{ statements }, { cases }] = await Promise.all([
    ask(url, `/v1/periods/${closed}/statements?limit=1`, options),
    ask(url, "/v1/cases", options),
  ]);
  const found = {
    period: usage.period,
    servers: usage.count,
    server: usage.servers[0]?.server,
    case: cases[0]?.id,
    ...(statements.length > 0 ? { closed, billed: statements[0].server } : {}),
  };
  if (token === undefined) found.device = (await ask(url, "/v1/devices?limit=1")).devices[0]?.name;
  return found;
}

export function shift(period, months) {
  const [year, month] = period.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 7);
}
