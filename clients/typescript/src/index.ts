import { Caller, type Answer, type CallOptions, type Options } from "./call.js";
import type { components, operations } from "./schema.js";

export type { Answer, CallOptions, Options } from "./call.js";
export { HoldfastError, UnexpectedAnswerError, type Problem } from "./problem.js";
export type { components, operations, paths } from "./schema.js";

/** The bodies of requests and answers, by name. */
export type Schemas = components["schemas"];
export type Reservation = Schemas["Reservation"];
export type ReserveRequest = Identified<Schemas["ReserveRequest"]>;

/** A body whose id is given here, not by a header. */
export type Identified<T> = T & { id: string };

/** The parameters of the query of an operation. */
export type Query<Operation extends keyof operations> = operations[Operation] extends {
  parameters: { query?: infer Parameters };
}
  ? NonNullable<Parameters>
  : never;

/**
 * Calls a Holdfast server over HTTP. Each method is one call of the API. It repeats a call whose answer was
 * lost, with the same id, and throws a HoldfastError for a problem.
 */
export class Holdfast {
  readonly #caller: Caller;

  /** server is a URL such as http://127.0.0.1:8080. */
  constructor(server: string | URL, options: Options = {}) {
    this.#caller = new Caller(server, options);
  }

  /** Holds the units of all lines until a deadline, or none. Check `state` of a replay. */
  reserve(body: ReserveRequest, options?: CallOptions) {
    return this.#post<Reservation>("/v1/reservations", body, options);
  }
  /** Reads one reservation. */
  reservation(id: string, options?: CallOptions) {
    return this.#get<Reservation>(reservation(id), {}, options);
  }
  /** Reads one page of the reservations that match, the newest first. */
  reservations(query: Query<"reservations"> = {}, options?: CallOptions) {
    return this.#get<Schemas["ReservationPage"]>("/v1/reservations", query, options);
  }
  /** Changes the customer, the order, the identities or the metadata of a reservation. null removes. */
  describe(id: string, body: Schemas["DescribeRequest"], options?: CallOptions) {
    return this.#caller.call<Reservation>({ method: "PATCH", path: reservation(id), body, ...options });
  }
  /** Makes a held reservation a sale. */
  confirm(id: string, body: Schemas["ConfirmRequest"] = {}, options?: CallOptions) {
    return this.#post<Reservation>(reservation(id, "confirm"), body, options);
  }
  /** Returns units of a reservation to sale: all, or those of `lines`. */
  release(id: string, body: Schemas["UnitsRequest"] = {}, options?: CallOptions) {
    return this.#post<Reservation>(reservation(id, "release"), body, options);
  }
  /** Records that committed units have left: all, or those of `lines`. */
  fulfill(id: string, body: Schemas["UnitsRequest"] = {}, options?: CallOptions) {
    return this.#post<Reservation>(reservation(id, "fulfill"), body, options);
  }
  /** Takes fulfilled units back to the reservation. */
  unfulfill(id: string, body: Identified<Schemas["UnfulfillRequest"]>, options?: CallOptions) {
    return this.#post<Reservation>(reservation(id, "unfulfill"), body, options);
  }
  /** Returns fulfilled units to stock. */
  return(id: string, body: Identified<Schemas["ReturnRequest"]>, options?: CallOptions) {
    return this.#post<Reservation>(reservation(id, "return"), body, options);
  }
  /** Sets a new deadline of a held reservation. */
  extend(id: string, body: Schemas["ExtendRequest"] = {}, options?: CallOptions) {
    return this.#post<Reservation>(reservation(id, "extend"), body, options);
  }
  /** Serves what is left of a line from another location. */
  move(id: string, body: Schemas["MoveRequest"], options?: CallOptions) {
    return this.#post<Reservation>(reservation(id, "move"), body, options);
  }
  /** Changes, adds and removes lines of a reservation, all or none. */
  amend(id: string, body: Schemas["AmendRequest"], options?: CallOptions) {
    return this.#post<Reservation>(reservation(id, "amend"), body, options);
  }

  /** Reads all levels of a SKU. */
  stock(sku: string, options?: CallOptions) {
    return this.#get<Schemas["SKULevels"]>(`/v1/stock/${encodeURIComponent(sku)}`, {}, options);
  }
  /** Reads one page of the levels that match. */
  levels(query: Query<"levels"> = {}, options?: CallOptions) {
    return this.#get<Schemas["LevelPage"]>("/v1/stock", query, options);
  }
  /** Reads one page of the levels of some SKUs at some locations. */
  queryLevels(body: Schemas["StockQuery"], options?: CallOptions) {
    return this.#post<Schemas["LevelPage"]>("/v1/stock/query", body, options);
  }
  /** Counts a level, or changes its policy. */
  putLevel(sku: string, location: string, body: Identified<Schemas["PutLevelRequest"]>, options?: CallOptions) {
    return this.#caller.call<Schemas["ChangedLevel"]>({ method: "PUT", path: level(sku, location), body, ...options });
  }
  /** Changes on hand of a level by a number of units. */
  adjust(body: Identified<Schemas["AdjustmentRequest"]>, options?: CallOptions) {
    return this.#post<Schemas["ChangedLevel"]>("/v1/stock/adjustments", body, options);
  }
  /** Counts many levels in one step. */
  count(body: Identified<Schemas["CountsRequest"]>, options?: CallOptions) {
    return this.#post<Schemas["CountsAnswer"]>("/v1/stock/counts", body, options);
  }
  /** Moves units of a SKU from one location to another. */
  transfer(body: Identified<Schemas["TransferRequest"]>, options?: CallOptions) {
    return this.#post<Schemas["TransferAnswer"]>("/v1/stock/transfers", body, options);
  }
  /** Removes a level. A repeat is `not_found`, because the level is gone. */
  async removeLevel(sku: string, location: string, options?: CallOptions): Promise<void> {
    await this.#caller.call({ method: "DELETE", path: level(sku, location), ...options });
  }

  /** Explains how a reservation would be served. */
  route(body: Schemas["RouteRequest"], options?: CallOptions) {
    return this.#post<Schemas["Route"]>("/v1/route", body, options);
  }
  /** Reads what a channel can sell, for product pages. */
  availability(body: Schemas["AvailabilityRequest"], options?: CallOptions) {
    return this.#post<Schemas["Availability"]>("/v1/availability", body, options);
  }
  /** Reads the current version of the routing directory. */
  directory(options?: CallOptions) {
    return this.#get<Schemas["Directory"]>("/v1/directory", {}, options);
  }
  /** Replaces the routing directory, if the current version is `ifVersion`. */
  applyDirectory(
    body: Schemas["DirectoryRequest"],
    { ifVersion, actor, ...options }: CallOptions & { ifVersion?: number; actor?: string } = {},
  ) {
    const headers: Record<string, string> = ifVersion === undefined ? {} : { "If-Match": `"${ifVersion}"` };
    const path = "/v1/directory" + search({ actor });
    return this.#caller.call<Schemas["Directory"]>({ method: "PUT", path, body, headers, ...options });
  }

  /** Starts an audit. */
  startAudit(body: Schemas["AuditRequest"] = {}, options?: CallOptions) {
    return this.#post<Schemas["Audit"]>("/v1/audits", body, options);
  }
  /** Reads an audit and one page of its findings. */
  audit(id: string, query: Query<"audit"> = {}, options?: CallOptions) {
    return this.#get<Schemas["Audit"]>(`/v1/audits/${encodeURIComponent(id)}`, query, options);
  }

  /** Reads one page of the changes, the newest first. */
  changes(query: Query<"changes"> = {}, options?: CallOptions) {
    return this.#get<Schemas["ChangePage"]>("/v1/changes", query, options);
  }

  #get<T>(path: string, query: object, options?: CallOptions): Promise<Answer<T>> {
    return this.#caller.call<T>({ method: "GET", path: path + search(query), ...options });
  }

  #post<T>(path: string, body: unknown, options?: CallOptions): Promise<Answer<T>> {
    return this.#caller.call<T>({ method: "POST", path, body, ...options });
  }
}

function reservation(id: string, verb?: string): string {
  return `/v1/reservations/${encodeURIComponent(id)}` + (verb ? `/${verb}` : "");
}

function level(sku: string, location: string): string {
  return `/v1/stock/${encodeURIComponent(sku)}/${encodeURIComponent(location)}`;
}

/** The query of a URL with the parameters that are set. */
function search(query: object): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined);
  return set.length ? "?" + new URLSearchParams(set.map(([name, value]) => [name, String(value)])) : "";
}
