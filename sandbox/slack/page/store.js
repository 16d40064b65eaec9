// What the page knows, kept current by server-sent events; views are told when something changed.

export class Store extends EventTarget {
  /** Read everything once, then listen; reads everything anew when told that something was missed. */
  async follow() {
    this.#stream?.close();
    try {
      const answer = await fetch("/sandbox/posts");
      if (!answer.ok) throw new Error(answer.statusText);
      this.#load(await answer.json());
    } catch {
      this.#say("reconnecting");
      setTimeout(() => this.follow(), 1000);
      return;
    }
    const stream = new EventSource(`/sandbox/events?after=${encodeURIComponent(this.#event)}`);
    this.#stream = stream;
    stream.onopen = () => this.#say("live");
    stream.onerror = () => {
      this.#say("reconnecting");
      // Some failures are final for an EventSource; then begin again.
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => this.follow(), 1000);
    };
    const on = (kind, act) =>
      stream.addEventListener(kind, (event) => {
        act(JSON.parse(event.data));
        this.#changed();
      });
    on("posted", ({ post, totals }) => {
      this.totals = totals;
      this.#put(post);
    });
    on("edited", ({ post }) => this.#put(post));
    on("deleted", ({ team, channel, ts }) => this.#remove(`${team}/${channel}`, ts));
    on("totals", (totals) => (this.totals = totals));
    on("team", (team) => this.teams.set(team.id, team));
    on("channel", (channel) => Object.assign(this.#channel(channel.team, channel.id), channel));
    on("reset", () => this.follow());
  }

  teams = new Map();
  /** By "team/channel"; each holds its posts by ts, in the order of posting. */
  channels = new Map();
  /** Over all channels, in the order of posting. */
  posts = new Map();
  totals = { received: 0, stored: 0, duplicates: 0, faults: 0 };
  state = "connecting";

  #event = "";
  #stream = null;
  #scheduled = false;
  #byMarker = new Map();

  /** How many messages of now carry this post's marker. */
  copies(post) {
    return post.marker === null ? 1 : (this.#byMarker.get(post.marker)?.size ?? 1);
  }

  #load(snapshot) {
    this.#event = snapshot.event;
    this.totals = snapshot.totals;
    this.teams = new Map(snapshot.teams.map((team) => [team.id, team]));
    this.channels = new Map();
    this.posts = new Map();
    this.#byMarker = new Map();
    for (const channel of snapshot.channels) {
      Object.assign(this.#channel(channel.team, channel.id), channel);
    }
    for (const post of snapshot.posts) this.#put(post);
    this.#changed();
  }

  #channel(team, id) {
    const key = `${team}/${id}`;
    if (!this.teams.has(team)) this.teams.set(team, { id: team, name: null });
    if (!this.channels.has(key)) {
      this.channels.set(key, { key, team, id, name: null, member: true, posts: new Map() });
    }
    return this.channels.get(key);
  }

  #put(post) {
    const channel = this.#channel(post.team, post.channel);
    post.key = `${channel.key}/${post.ts}`;
    channel.posts.set(post.ts, post);
    this.posts.set(post.key, post);
    if (post.marker !== null) {
      if (!this.#byMarker.has(post.marker)) this.#byMarker.set(post.marker, new Set());
      this.#byMarker.get(post.marker).add(post.key);
    }
  }

  #remove(channel, ts) {
    const key = `${channel}/${ts}`;
    const post = this.posts.get(key);
    this.posts.delete(key);
    this.channels.get(channel)?.posts.delete(ts);
    this.#byMarker.get(post?.marker)?.delete(key);
  }

  #say(state) {
    this.state = state;
    this.#changed();
  }

  // A burst of events is one change, ten times a second at most.
  #changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.dispatchEvent(new Event("change"));
    }, 100);
  }
}
