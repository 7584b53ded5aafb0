/** What a browser does of itself: keeps cookies by origin and sends them, and follows redirects when told to. */
export interface BrowserRobot {
  request(url: string, init?: RequestInit): Promise<Response>;
  /** Follows redirects, at most 10, until one leads to where `stop` says, which is returned unasked; else to the last address. */
  follow(
    url: string,
    stop?: (url: URL) => boolean,
  ): Promise<{ readonly url: URL; readonly response: Response | null }>;
  cookie(url: string, name: string): string | undefined;
}

export function createBrowserRobot(): BrowserRobot {
  const jar = new Map<string, Map<string, string>>();
  const cookiesOf = (url: string) => {
    const { origin } = new URL(url);
    const cookies = jar.get(origin) ?? new Map<string, string>();
    jar.set(origin, cookies);
    return cookies;
  };

  async function request(url: string, init: RequestInit = {}): Promise<Response> {
    const cookies = cookiesOf(url);
    const headers = new Headers(init.headers);
    if (cookies.size > 0) {
      headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    }
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) keep(cookies, line);
    return response;
  }

  return {
    request,
    cookie: (url, name) => cookiesOf(url).get(name),
    async follow(start, stop = () => false) {
      let url = new URL(start);
      for (let hops = 0; hops < 10; hops += 1) {
        const response = await request(url.href);
        const location = response.headers.get("location");
        if (location === null) return { url, response };
        await response.arrayBuffer();
        url = new URL(location, url);
        if (stop(url)) return { url, response: null };
      }
      throw new Error(`too many redirects, the last one to ${url.href}`);
    },
  };
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const [name = "", ...value] = pair.split("=");
  const isOver = attributes.some(
    (one) => /^max-age=0$/i.test(one) || (/^expires=/i.test(one) && Date.parse(one.slice(8)) <= Date.now()),
  );
  if (isOver || value.join("=") === "") cookies.delete(name);
  else cookies.set(name, value.join("="));
}
