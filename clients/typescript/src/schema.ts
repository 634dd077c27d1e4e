// Generated from the OpenAPI document of the server: npm run generate. Do not edit.

export interface paths {
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check that the process runs */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check that the server can reserve */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start an audit
         * @description Compares Redis with the ledger, and the ledger with itself, while sales go on. The audit continues after the answer; get it to follow its progress. One audit runs at a time. Until it ends, the same request returns it, and any other request is answered `unavailable`.
         */
        post: operations["start-audit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audits/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an audit and its findings */
        get: operations["audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/availability": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get what a channel can sell, for product pages
         * @description Returns the sum over the locations that the channel may sell from to the address. A kit counts whole kits. One reservation may get less, depending on how it may be split. An unknown SKU has 0.
         */
        post: operations["availability"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List who changed what
         * @description Returns one page of the changes of stock, of the directory and of keys, and of the repairs, the newest first. What a call of a reservation does is not among them: it is in the event stream.
         */
        get: operations["changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/directory": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the routing directory
         * @description Returns JSON, or YAML if the header `Accept` asks for `application/yaml`.
         */
        get: operations["directory"];
        /**
         * Replace the routing directory
         * @description Replaces the whole directory, or nothing. Every server uses it within a second and answers by the old version until then. Reservations keep their locations. A directory that equals the current version changes nothing.
         */
        put: operations["put-directory"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search reservations
         * @description Returns one page of the reservations that match every parameter, read from the ledger, which is a moment behind. `line`, `sku` and `location` must match the same line.
         */
        get: operations["reservations"];
        put?: never;
        /**
         * Reserve units until a deadline
         * @description Holds the units of all lines or of none, in one atomic step. Repeating the call with the same id and the same body takes nothing again and returns the current reservation: check `state`.
         */
        post: operations["reserve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a reservation */
        get: operations["reservation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change the customer, the order, the identities or the metadata of a reservation
         * @description Takes a JSON Merge Patch (RFC 7396): what is left out stays, and null removes it. Purchase limits count the units for the new customer and identities; if one of them would exceed a limit, nothing changes. Repeating the call changes nothing.
         */
        patch: operations["describe"];
        trace?: never;
    };
    "/v1/reservations/{id}/amend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the lines of a reservation
         * @description Sets quantities of lines, adds lines and removes lines (quantity 0), all or none, of a held or confirmed reservation. The deadline stays. More units come from where the line has some, then from where a reserve would take them. Units that have left stay in their line.
         */
        post: operations["amend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a reservation
         * @description Makes a held reservation a sale. After the deadline it takes the units again, or answers `insufficient_stock`. Repeating it changes nothing.
         */
        post: operations["confirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations/{id}/extend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Extend a held reservation
         * @description Sets the deadline to `ttl_seconds` from now. The reservation must be held.
         */
        post: operations["extend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations/{id}/fulfill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Record that committed units have left
         * @description The reservation stays confirmed until no units are left to fulfill.
         */
        post: operations["fulfill"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Serve a line from another location
         * @description Moves what is left of a line of a held or confirmed reservation, in one atomic step. Fulfilled units stay; a kit moves whole. The location must be enabled and have the units. It need not ship to the address.
         */
        post: operations["move"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Release all units of a reservation, or some
         * @description Returns the units of a held reservation to sale, or those units of a confirmed one that are not fulfilled yet.
         */
        post: operations["release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations/{id}/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Return fulfilled units to stock
         * @description The units become on hand and available at a location of your choice, and count as `returned` in their lines. The reservation keeps its state. A kit comes back whole.
         */
        post: operations["return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reservations/{id}/unfulfill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take fulfilled units back to the reservation
         * @description For a shipment that was cancelled. The units are on hand and committed again, in one atomic step: nobody else can take them. The reservation is confirmed afterwards, also if it was fulfilled. A kit comes back whole. Units that were returned can't be unfulfilled.
         */
        post: operations["unfulfill"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/route": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Explain how a reservation would be served
         * @description A dry run of a reserve: the same script decides, with the current stock, and nothing is changed. If the reserve would be refused, `refusal` is its problem.
         */
        post: operations["route"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all levels */
        get: operations["levels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock/adjustments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Adjust on hand by a number of units
         * @description If the level does not exist, a positive delta creates it, and a negative delta is answered 404.
         */
        post: operations["adjust"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock/counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Count many levels at once
         * @description Applies all counts or none, in one atomic step. With `as_of`, units that were fulfilled, returned, transferred or adjusted after that time are taken into account: if 10 were counted and 2 were fulfilled since, on hand is 8. Later counts are not, because they record what was there, not what left or arrived.
         */
        post: operations["count"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read levels of some SKUs at some locations
         * @description Returns one page of the levels of these SKUs at these locations. A list that is empty or left out does not restrict.
         */
        post: operations["query-levels"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock/transfers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Transfer units from one location to another
         * @description Moves the units in one atomic step. Held and committed units and safety stock stay where they are.
         */
        post: operations["transfer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock/{sku}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the levels of a SKU */
        get: operations["levels-of-sku"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stock/{sku}/{location}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Count a level, or change its policy
         * @description Sets on hand and the policy fields that are sent, in one atomic step. Fields that are left out stay unchanged; on a new level they are 0. With `as_of`, units that were fulfilled, returned, transferred or adjusted after that time are taken into account: if 10 were counted and 2 were fulfilled since, on hand is 8. Later counts are not, because they record what was there, not what left or arrived.
         */
        put: operations["put-level"];
        post?: never;
        /**
         * Remove a level
         * @description The level must have no held or committed units. Its units on hand are written off. Repeating the call is answered `not_found`, because the level is gone.
         */
        delete: operations["remove-level"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Address: {
            /**
             * @description ISO 3166-1, two letters.
             * @example DE
             */
            country?: string;
            /**
             * Format: double
             * @description Degrees north.
             * @example 52.5
             */
            latitude?: number;
            /**
             * Format: double
             * @description Degrees east.
             * @example 13.4
             */
            longitude?: number;
            /** @example 10115 */
            postal_code?: string;
            /** @example BE */
            region?: string;
        };
        AdjustmentRequest: {
            /**
             * @description Who. Kept with the event. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of.
             * @example anna
             */
            actor?: string;
            /**
             * Format: int64
             * @description Units to add to on hand, or to subtract if negative. Not 0. It may take available below 0, but never on hand.
             * @example 12
             */
            delta: number;
            /**
             * @description Your id for the operation, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation.
             * @example delivery-881
             */
            id?: string;
            /** @example berlin */
            location: string;
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * @description The person for whom the actor makes the change. Kept beside the actor.
             * @example anna
             */
            on_behalf_of?: string;
            /**
             * @description Why. Kept with the event.
             * @example delivery
             */
            reason?: string;
            /** @example TEE-M */
            sku: string;
        };
        Allocation: {
            /** @example berlin */
            location: string;
            /**
             * Format: int64
             * @description Units.
             * @example 2
             */
            quantity: number;
        };
        /** @description A line can't have fewer units than have left. `fulfilled` lists the lines and the units. Nothing was changed. */
        AlreadyFulfilledProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "already_fulfilled";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /** @description already_fulfilled: every line that would have fewer units than have left. */
            fulfilled: components["schemas"]["Fulfilled"][];
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Already fulfilled
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#already_fulfilled
             */
            type: string;
        };
        AmendLine: {
            /** @description Only for a new line: take it even if its units are not available. Other lines keep what they were taken with. */
            backorder?: boolean;
            /**
             * @description A line of the reservation, or the name of a new one.
             * @example 1
             */
            line: string;
            /**
             * @description Pins what is added: only this location may serve it.
             * @example berlin
             */
            location?: string;
            /**
             * Format: int64
             * @description Units of the line from now on, with those that have left, or kits if the line is a kit. 0 removes the line.
             * @example 5
             */
            quantity: number | null;
            /**
             * @description Required for a new line. A line of the reservation keeps its SKU.
             * @example CAP
             */
            sku?: string;
        };
        AmendRequest: {
            /**
             * @description Your id for this step as an operation, and its idempotency key: a repeat changes nothing, whatever happened since. Not the id of another operation.
             * @example chg-1
             */
            id?: string;
            /** @description The lines to change, add or remove. Other lines stay as they are. */
            lines: components["schemas"]["AmendLine"][];
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * Format: int64
             * @description Refuse unless the reservation has this version. Required if there is no id, so that a repeated call changes nothing.
             * @example 1
             */
            version?: number;
        };
        Audit: {
            actor?: string;
            /**
             * Format: int64
             * @description Deadlines compared.
             */
            deadlines: number;
            /**
             * Format: int64
             * @description Findings that are drift and still open.
             */
            drift: number;
            failure?: string;
            /** @description One page of findings, in order of id. */
            findings: components["schemas"]["AuditFinding"][];
            /** Format: date-time */
            finished_at?: string;
            /** @example audit-20261125-031500-k2f7qa */
            id: string;
            /**
             * Format: int64
             * @description Levels compared.
             */
            levels: number;
            /**
             * Format: int64
             * @description Purchase limits compared.
             */
            limits: number;
            location?: string;
            /** @description The cursor of the next page of findings. Absent on the last page. */
            next_cursor?: string;
            repair: boolean;
            /**
             * Format: int64
             * @description Findings that were repaired.
             */
            repaired: number;
            /**
             * Format: int64
             * @description Reservations compared.
             */
            reservations: number;
            sku?: string;
            /** Format: date-time */
            started_at: string;
            /**
             * @description failed: the audit broke off, or repaired nothing because it would have changed too much. failure says why.
             * @enum {string}
             */
            state: "running" | "done" | "failed";
        };
        AuditFinding: {
            customer?: string;
            /** @description What to do, for people. */
            do?: string;
            /** @description true if the level is below 0, now or after a repair. Nothing is sold from it without backorder meanwhile. note says until when. */
            frozen?: boolean;
            /**
             * @description Identifies the kind and the subject of the finding: it is the same in every audit that finds it.
             * @example 9f86d081884c7d65
             */
            id: string;
            /** @example counter_drift */
            kind: string;
            /** @description The value that the ledger expects. null if there is none. */
            ledger: unknown;
            limit?: string;
            /** @example berlin */
            location?: string;
            /** @description What the finding means, for people. */
            means: string;
            /** @description The name in Redis, if the finding is about none of these. */
            name?: string;
            note?: string;
            /**
             * @description The position of the stream at which both sides were read.
             * @example 1-4711
             */
            position?: string;
            /** @description The value in Redis. null if there is none. */
            redis: unknown;
            /** @example ord-1001 */
            reservation?: string;
            /** @example TEE-M */
            sku?: string;
            /** @enum {string} */
            state: "open" | "repaired" | "gone";
            /**
             * Format: int64
             * @description The most units that a repair would change.
             */
            units: number;
        };
        AuditRequest: {
            /** @description Who repairs. Kept with each repair. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of. */
            actor?: string;
            /** @description Audit only this location. */
            location?: string;
            /**
             * Format: int64
             * @description Units that a repair may change in total. If it would change more, nothing is repaired. Default: 1000.
             */
            max_units?: number;
            /**
             * @description The person for whom the actor makes the change. Kept beside the actor.
             * @example anna
             */
            on_behalf_of?: string;
            /** @description Repair the findings. Default: only report them. */
            repair?: boolean;
            /** @description Audit only this SKU. */
            sku?: string;
        };
        Availability: {
            /**
             * @description Units by SKU.
             * @example {
             *       "TEE-M": 7
             *     }
             */
            available: {
                [key: string]: number;
            };
        };
        AvailabilityRequest: {
            /**
             * @description The sales channel. Optional if the directory has a default channel.
             * @example web
             */
            channel?: string;
            /** @description The location where the customer collects the order. Not allowed with ship_to. */
            pickup?: string;
            /** @description The address that the order ships to. Not allowed with pickup. */
            ship_to?: components["schemas"]["Address"];
            /**
             * @example [
             *       "TEE-M"
             *     ]
             */
            skus: string[];
        };
        /** @description Too many changes wait to be written to the ledger. Nothing was changed. Repeat the same call. */
        BacklogFullProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "backlog_full";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 503
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Backlog full
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#backlog_full
             */
            type: string;
        };
        Campaign: {
            /** @description Default all. */
            channels?: string[] | null;
            /**
             * Format: date-time
             * @description RFC 3339, at most milliseconds. Nothing is sold from then on.
             */
            ends_at?: string;
            /** @description total and per_customer do not count units that came back. */
            frees_on_return?: boolean;
            id: string;
            /**
             * Format: int64
             * @description The most units that one customer may have, counted like total.
             */
            per_customer?: number;
            /** @description Default all. */
            skus?: string[] | null;
            /**
             * Format: date-time
             * @description RFC 3339, at most milliseconds. Nothing is sold before.
             */
            starts_at?: string;
            /**
             * Format: int64
             * @description The most units that all customers may have: held, confirmed or fulfilled. A kit that skus names counts in kits.
             */
            total?: number;
        };
        /** @description A campaign has too few units left, for all customers together. `campaign` is its id, `limit` the units that it sells, and `taken` the units that customers already have. A released or expired hold gives its units back. */
        CampaignSoldOutProblem: {
            /**
             * @description not_on_sale, purchase_limit and campaign_sold_out: the id of the campaign.
             * @example drop-2026-11
             */
            campaign: string;
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "campaign_sold_out";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description purchase_limit: units that one customer may have. campaign_sold_out: units that all customers may have.
             * @example 2
             */
            limit: number;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * Format: int64
             * @description purchase_limit: units that this customer already has. campaign_sold_out: units that all customers have.
             * @example 1
             */
            taken: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Campaign sold out
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#campaign_sold_out
             */
            type: string;
        };
        Change: {
            /**
             * @description Who: the name of the key. Without keys, what the caller said.
             * @example checkout-eu
             */
            actor: string;
            /** Format: date-time */
            at: string;
            /**
             * @description The id of the operation, the key or the audit, or the version of the directory.
             * @example count-1
             */
            id: string;
            /** @enum {string} */
            kind: "stock" | "directory" | "key" | "audit";
            /**
             * @description The person for whom the actor made the change, as the actor says.
             * @example anna
             */
            on_behalf_of?: string;
            /**
             * @description Why. Of a key: its name.
             * @example stocktake
             */
            reason?: string;
            /** @description The header X-Request-Id of the call. */
            request_id?: string;
            /**
             * @description stock: adjust, transfer or remove. directory: apply. key: create or revoke. audit: repair.
             * @example adjust
             */
            verb: string;
        };
        ChangePage: {
            changes: components["schemas"]["Change"][];
            /** @description The cursor of the next page. Absent on the last page. */
            next_cursor?: string;
        };
        ChangedLevel: {
            /**
             * Format: int64
             * @description on_hand - held - committed - safety_stock + backorder_limit. Only a line with backorder and a stock change can take it below 0.
             * @example 30
             */
            available: number;
            /**
             * Format: int64
             * @description Units that may be sold beyond on hand.
             * @example 0
             */
            backorder_limit: number;
            /**
             * Format: int64
             * @description Units that are promised beyond those that may be sold: what available is below 0. Absent if there are none.
             * @example 3
             */
            backordered?: number;
            /**
             * Format: int64
             * @description Units of confirmed reservations that have not left.
             * @example 5
             */
            committed: number;
            /** @description true if the ledger has the change, false only if the server has no ledger. */
            durable: boolean;
            /**
             * Format: int64
             * @description Units of held reservations.
             * @example 3
             */
            held: number;
            /** @description The count of a later moment that this count with as_of did not replace. Absent if this count was applied. */
            in_force?: components["schemas"]["CountInForce"];
            /** @example berlin */
            location: string;
            /**
             * Format: int64
             * @description Units at the location.
             * @example 40
             */
            on_hand: number;
            /**
             * Format: int64
             * @description Units kept back from sale.
             * @example 2
             */
            safety_stock: number;
            /** @description The newest confirmed reservations that add up to shortfall, at most 20. If they add up to less, search for the confirmed reservations of this SKU and location. Absent without a shortfall, or if the ledger did not answer in time. */
            short_reservations?: components["schemas"]["ShortReservation"][] | null;
            /**
             * Format: int64
             * @description Committed units that exceed on hand and backorder_limit: the level can't fulfill all of its reservations. Absent if there are none.
             * @example 2
             */
            shortfall?: number;
            /** @example TEE-M */
            sku: string;
        };
        Component: {
            /**
             * Format: int64
             * @description Units in one kit.
             */
            quantity: number;
            sku: string;
        };
        ConfirmRequest: {
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * Format: int64
             * @description Refuse unless the reservation has this version. Default: any version.
             * @example 1
             */
            version?: number;
        };
        Count: {
            /**
             * Format: int64
             * @description Units that may be sold beyond on hand. Default: unchanged.
             * @example 0
             */
            backorder_limit?: number;
            /**
             * Format: int64
             * @description Refuse all counts with version_conflict unless on hand is this number. The problem's on_hand, sku and location say which level it is and its current number.
             * @example 38
             */
            if_on_hand?: number;
            /** @example berlin */
            location: string;
            /**
             * Format: int64
             * @description The units at the location. Required without a policy field.
             * @example 40
             */
            on_hand?: number;
            /**
             * Format: int64
             * @description Units to keep back from sale. Default: unchanged.
             * @example 2
             */
            safety_stock?: number;
            /** @example TEE-M */
            sku: string;
        };
        CountInForce: {
            /**
             * Format: date-time
             * @description The moment that it was made for.
             * @example 2026-11-20T12:00:00.000Z
             */
            as_of: string;
            /**
             * @description The id of the count, or of the removal of the level.
             * @example count-2026-11-20-noon
             */
            id: string;
        };
        CountedLevel: {
            /**
             * Format: int64
             * @description on_hand - held - committed - safety_stock + backorder_limit. Only a line with backorder and a stock change can take it below 0.
             * @example 30
             */
            available: number;
            /**
             * Format: int64
             * @description Units that may be sold beyond on hand.
             * @example 0
             */
            backorder_limit: number;
            /**
             * Format: int64
             * @description Units that are promised beyond those that may be sold: what available is below 0. Absent if there are none.
             * @example 3
             */
            backordered?: number;
            /**
             * Format: int64
             * @description Units of confirmed reservations that have not left.
             * @example 5
             */
            committed: number;
            /**
             * Format: int64
             * @description Units of held reservations.
             * @example 3
             */
            held: number;
            /** @description The count of a later moment that this count with as_of did not replace. Absent if this count was applied. */
            in_force?: components["schemas"]["CountInForce"];
            /** @example berlin */
            location: string;
            /**
             * Format: int64
             * @description Units at the location.
             * @example 40
             */
            on_hand: number;
            /**
             * Format: int64
             * @description Units kept back from sale.
             * @example 2
             */
            safety_stock: number;
            /** @description The newest confirmed reservations that add up to shortfall, at most 20. If they add up to less, search for the confirmed reservations of this SKU and location. Absent without a shortfall, or if the ledger did not answer in time. */
            short_reservations?: components["schemas"]["ShortReservation"][] | null;
            /**
             * Format: int64
             * @description Committed units that exceed on hand and backorder_limit: the level can't fulfill all of its reservations. Absent if there are none.
             * @example 2
             */
            shortfall?: number;
            /** @example TEE-M */
            sku: string;
        };
        CountsAnswer: {
            /**
             * Format: date-time
             * @description When the counts were applied. In a replay: when they were applied first.
             * @example 2026-11-20T18:00:00.000Z
             */
            applied_at: string;
            /** @description true if the ledger has the change, false only if the server has no ledger. */
            durable: boolean;
            /** @example count-2026-11-20 */
            id: string;
            /** @description The current levels, in the order of counts. */
            levels: components["schemas"]["CountedLevel"][];
        };
        CountsRequest: {
            /**
             * @description Who. Kept with the event. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of.
             * @example anna
             */
            actor?: string;
            /** @description Also set units at locations that the routing directory does not have. They can't be sold until it has them. */
            allow_unknown_locations?: boolean;
            /**
             * Format: date-time
             * @description The time of all counts. Units that left or arrived since then are taken into account. Default: now.
             * @example 2026-11-20T06:00:00Z
             */
            as_of?: string;
            counts: components["schemas"]["Count"][];
            /**
             * @description Your id for the operation, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation.
             * @example count-2026-11-20
             */
            id?: string;
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * @description The person for whom the actor makes the change. Kept beside the actor.
             * @example anna
             */
            on_behalf_of?: string;
            /**
             * @description Why. Kept with the event.
             * @example yearly count
             */
            reason?: string;
        };
        DescribeRequest: {
            /**
             * @description The customer. Purchase limits count by it, and you can search by it.
             * @example c-9
             */
            customer?: string | null;
            /** @description Replaces the identities that purchase limits count beside the customer. */
            identities?: string[] | null;
            /** @description Your own strings. A key that is absent stays, and null removes it. */
            metadata?: {
                [key: string]: string | null;
            } | null;
            /**
             * @description The order. You can search by it.
             * @example 5512
             */
            order?: string | null;
            /**
             * Format: int64
             * @description Refuse unless the reservation has this version. Default: any version.
             * @example 1
             */
            version?: number;
        };
        Directory: {
            /**
             * @description Who applied this version.
             * @example anna
             */
            actor?: string;
            /** Format: date-time */
            applied_at: string;
            campaigns?: components["schemas"]["Campaign"][] | null;
            channels: components["schemas"]["SalesChannel"][] | null;
            kits?: components["schemas"]["Kit"][] | null;
            /** @description The older name of campaigns that have only per_customer. Not allowed with campaigns. */
            limits?: components["schemas"]["Limit"][] | null;
            locations: components["schemas"]["Location"][] | null;
            /**
             * @description The person for whom the actor applied it.
             * @example anna
             */
            on_behalf_of?: string;
            /**
             * Format: int64
             * @description Each change adds 1. It is also the ETag.
             * @example 3
             */
            version: number;
            zones?: components["schemas"]["Zone"][] | null;
        };
        /** @description The server reads its routing directory from a file. Change the file that `directory.file` names. */
        DirectoryIsFileProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "directory_is_file";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example The directory is a file
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#directory_is_file
             */
            type: string;
        };
        DirectoryRequest: {
            /** @description Ignored. Use the parameter actor. */
            actor?: string;
            /** @description Ignored. */
            applied_at?: string;
            campaigns?: components["schemas"]["Campaign"][] | null;
            channels: components["schemas"]["SalesChannel"][] | null;
            kits?: components["schemas"]["Kit"][] | null;
            /** @description The older name of campaigns that have only per_customer. Not allowed with campaigns. */
            limits?: components["schemas"]["Limit"][] | null;
            locations: components["schemas"]["Location"][] | null;
            /** @description Ignored. Use the parameter on_behalf_of. */
            on_behalf_of?: string;
            /**
             * Format: int64
             * @description Ignored. Use the header If-Match.
             */
            version?: number;
            zones?: components["schemas"]["Zone"][] | null;
        };
        /** @description The moment `not_after` had passed before the call was sent to Redis. This call changed nothing. An earlier call with the same id may have been made: read the reservation to find out. */
        ExpiredRequestProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "expired_request";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Expired request
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#expired_request
             */
            type: string;
        };
        ExtendRequest: {
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * Format: int64
             * @description Seconds from now until the deadline. Default: 600.
             * @example 600
             */
            ttl_seconds?: number;
            /**
             * Format: int64
             * @description Refuse unless the reservation has this version. Default: any version.
             * @example 1
             */
            version?: number;
        };
        Fault: {
            /** @example must be 1 to 2147483647 */
            message: string;
            /**
             * @description A JSON pointer into the body, or / and the name of a parameter. Empty for the whole body.
             * @example /lines/0/quantity
             */
            path: string;
        };
        /** @description The key does not have the role of the call, which `role` names, or is bound to other channels. Or a browser sent the request on behalf of a page of another site. Or the header `Host` has a name that the setting `http.hosts` does not list. Nothing was changed. */
        ForbiddenProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "forbidden";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * @description unauthenticated and forbidden: the role that the call needs.
             * @enum {string}
             */
            role?: "read" | "sell" | "ship" | "stock" | "operate";
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 403
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Forbidden
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#forbidden
             */
            type: string;
        };
        Fulfilled: {
            /**
             * Format: int64
             * @description Units that have left.
             * @example 2
             */
            fulfilled: number;
            /** @example 1 */
            line: string;
            /**
             * Format: int64
             * @description Units requested.
             * @example 1
             */
            requested: number;
        };
        /** @description The id was used before for another request. Use a new id for a new request. */
        IdConflictProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "id_conflict";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Id already used
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#id_conflict
             */
            type: string;
        };
        /** @description The header `Idempotency-Key` and `id` of the body differ. Send one of them. Nothing was changed. */
        IdMismatchProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "id_mismatch";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 422
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Ids differ
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#id_mismatch
             */
            type: string;
        };
        /** @description A level or a location with held or committed units can't be removed. `held` and `committed` count them. */
        InUseProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "in_use";
            /**
             * Format: int64
             * @description in_use: units that are committed.
             * @example 5
             */
            committed: number;
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description in_use: units that are held.
             * @example 3
             */
            held: number;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example In use
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#in_use
             */
            type: string;
        };
        /** @description There are too few units. `shortages` lists every short line and the most units that it could have had. Nothing was taken. */
        InsufficientStockProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "insufficient_stock";
            /**
             * @description What happened this time and what to do, for people. The wording may change.
             * @example insufficient stock: line 1: TEE-M: 2 requested, 1 available
             */
            detail: string;
            /** @description insufficient_stock: every line that is short. */
            shortages: components["schemas"]["Shortage"][];
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Insufficient stock
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#insufficient_stock
             */
            type: string;
        };
        /** @description The server has a defect, or a stored value is corrupt. The server log has the details. */
        InternalProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "internal";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 500
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Internal error
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#internal
             */
            type: string;
        };
        /** @description The request is understood but not allowed. `errors` lists every fault with its path. */
        InvalidRequestProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "invalid_request";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /** @description malformed and invalid_request: every fault of the request and its path. */
            errors: components["schemas"]["Fault"][];
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 422
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Invalid request
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#invalid_request
             */
            type: string;
        };
        Kit: {
            components: components["schemas"]["Component"][] | null;
            sku: string;
        };
        LeftOut: {
            /** @example oslo */
            location: string;
            /** @enum {string} */
            reason: "not_in_channel" | "disabled" | "zone" | "not_pickup" | "no_level" | "not_pin" | "unknown_location";
        };
        Level: {
            /**
             * Format: int64
             * @description on_hand - held - committed - safety_stock + backorder_limit. Only a line with backorder and a stock change can take it below 0.
             * @example 30
             */
            available: number;
            /**
             * Format: int64
             * @description Units that may be sold beyond on hand.
             * @example 0
             */
            backorder_limit: number;
            /**
             * Format: int64
             * @description Units that are promised beyond those that may be sold: what available is below 0. Absent if there are none.
             * @example 3
             */
            backordered?: number;
            /**
             * Format: int64
             * @description Units of confirmed reservations that have not left.
             * @example 5
             */
            committed: number;
            /**
             * Format: int64
             * @description Units of held reservations.
             * @example 3
             */
            held: number;
            /** @example berlin */
            location: string;
            /**
             * Format: int64
             * @description Units at the location.
             * @example 40
             */
            on_hand: number;
            /**
             * Format: int64
             * @description Units kept back from sale.
             * @example 2
             */
            safety_stock: number;
            /** @example TEE-M */
            sku: string;
        };
        LevelPage: {
            /** @description In order of SKU and location. */
            levels: components["schemas"]["Level"][];
            /** @description The cursor of the next page. Absent on the last page. */
            next_cursor?: string;
            /**
             * @description A place in the event stream, epoch-sequence: the counts have every change up to it. It only goes up. Absent before the first change.
             * @example 1-5512
             */
            position?: string;
        };
        Limit: {
            /** @description Default all. */
            channels?: string[] | null;
            id: string;
            /**
             * Format: int64
             * @description Units that are held, confirmed or fulfilled. A kit that skus names counts in kits.
             */
            per_customer: number;
            /** @description Default all. */
            skus?: string[] | null;
        };
        Line: {
            /** @description true if the line was taken with backorder. */
            backorder?: boolean;
            /**
             * Format: int64
             * @description Of a line with backorder: units, or kits, that may have to wait for units to arrive. Absent if there are none, in a search, and unless the reservation is held or confirmed.
             * @example 1
             */
            backordered?: number;
            /** @description The SKUs of a kit. The quantities of the line then count kits. */
            components?: components["schemas"]["LineComponent"][];
            /** @description The locations that serve the line. */
            from: components["schemas"]["Allocation"][];
            /**
             * Format: int64
             * @description Units of quantity that have left.
             * @example 0
             */
            fulfilled: number;
            /** @example 1 */
            line: string;
            /** @description The location where the customer collects this line. In the answer of a read or a search only. */
            pickup?: string;
            /**
             * Format: int64
             * @description Units in the reservation. A partial release lowers it.
             * @example 2
             */
            quantity: number;
            /**
             * Format: int64
             * @description Units last asked for, by the reserve or by an amend of the line.
             * @example 2
             */
            requested: number;
            /**
             * Format: int64
             * @description Units of fulfilled that came back into stock.
             * @example 0
             */
            returned: number;
            /** @description The line's own address. In the answer of a read or a search only. */
            ship_to?: components["schemas"]["Address"];
            /** @example TEE-M */
            sku: string;
        };
        LineComponent: {
            from: components["schemas"]["Allocation"][];
            /**
             * Format: int64
             * @description Units for all kits of the line.
             * @example 2
             */
            quantity: number;
            /** @example CAP */
            sku: string;
        };
        LineQuantity: {
            /** @example 1 */
            line: string;
            /**
             * Format: int64
             * @description Units, at most what the line has left.
             * @example 1
             */
            quantity: number;
        };
        LineRequest: {
            /** @description Take the line even if its units are not available: those that are, and the rest from the first location in routed order. available falls below 0 by as much. */
            backorder?: boolean;
            /**
             * @description The line id of the order, unique in the reservation.
             * @example 1
             */
            line: string;
            /**
             * @description Pins the line: only this location may serve it. Not allowed with locations.
             * @example berlin
             */
            location?: string;
            /**
             * @description Only these locations may serve the line, tried in this order, as far as the channel and the address allow them.
             * @example [
             *       "lyon",
             *       "berlin"
             *     ]
             */
            locations?: string[] | null;
            /** @description The location where the customer collects this line, in place of the destination of the request. Not allowed with ship_to. */
            pickup?: string;
            /**
             * Format: int64
             * @description Units.
             * @example 2
             */
            quantity: number;
            /** @description The address that this line ships to, in place of that of the request. Not allowed with pickup. */
            ship_to?: components["schemas"]["Address"];
            /** @example TEE-M */
            sku: string;
        };
        Live: {
            /** @enum {string} */
            status: "ok";
        };
        Location: {
            /**
             * Format: double
             * @description For the rule cost: lowest first.
             */
            cost?: number;
            /** @description ISO 3166-1, two letters. */
            country?: string;
            /** @description Default true. If false, no new reservation takes units from it. */
            enabled?: boolean;
            id: string;
            /**
             * Format: double
             * @description Degrees. Set both latitude and longitude, or neither.
             */
            latitude?: number;
            /** Format: double */
            longitude?: number;
            name?: string;
            /** @description Customers may pick orders up here. */
            pickup?: boolean;
            /**
             * Format: double
             * @description For the rule priority: lowest first.
             */
            priority?: number;
            /** @description The zones it ships to. Without zones it ships nowhere. */
            zones?: string[] | null;
        };
        /** @description The body is not JSON, has an unknown field, has the same field twice, or has a field of the wrong type. Or a parameter is unknown, appears twice, or has the wrong type. */
        MalformedProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "malformed";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /** @description malformed and invalid_request: every fault of the request and its path. */
            errors?: components["schemas"]["Fault"][];
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 400
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Malformed request
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#malformed
             */
            type: string;
        };
        /** @description The path does not have this method. The header `Allow` lists the methods that it has. */
        MethodNotAllowedProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "method_not_allowed";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 405
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Method not allowed
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#method_not_allowed
             */
            type: string;
        };
        MoveRequest: {
            /**
             * @description Your id for this step as an operation, and its idempotency key: a repeat changes nothing, whatever happened since. Not the id of another operation.
             * @example move-1
             */
            id?: string;
            /** @example 1 */
            line: string;
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * @description The location to serve what is left of the line.
             * @example lyon
             */
            to: string;
            /**
             * Format: int64
             * @description Refuse unless the reservation has this version. Required if there is no id, so that a repeated call changes nothing.
             * @example 1
             */
            version?: number;
        };
        /** @description The SKU has levels, but none at a location that the channel, the address and the line allow. `rejected` says why each location can't serve the line. */
        NoLocationProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "no_location";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /** @description no_location: why each location can't serve the line. */
            rejected: components["schemas"]["Rejected"][];
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example No location
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#no_location
             */
            type: string;
        };
        /** @description The ledger has not decided yet, because Postgres is slow or down. Repeat the same call, with the same id if it has one. If a confirm was answered this, the reservation does not expire. */
        NotDurableYetProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "not_durable_yet";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 503
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Not durable yet
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#not_durable_yet
             */
            type: string;
        };
        /** @description There is no such reservation, level or path. If a reserve with this id was answered 201, the hold was lost: repeat the reserve with the same id and body, then confirm. */
        NotFoundProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "not_found";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 404
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Not found
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#not_found
             */
            type: string;
        };
        /** @description A campaign that counts a line has not started, or is over. `campaign` is its id, `starts_at` and `ends_at` are its times. If it has not started, the header `Retry-After` has the seconds until then. */
        NotOnSaleProblem: {
            /**
             * @description not_on_sale, purchase_limit and campaign_sold_out: the id of the campaign.
             * @example drop-2026-11
             */
            campaign: string;
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "not_on_sale";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: date-time
             * @description not_on_sale: the moment from which on the campaign no longer sells.
             * @example 2026-11-27T12:00:00.000Z
             */
            ends_at?: string;
            /**
             * Format: date-time
             * @description not_on_sale: the moment from which on the campaign sells.
             * @example 2026-11-27T10:00:00.000Z
             */
            starts_at?: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Not on sale
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#not_on_sale
             */
            type: string;
        };
        Problem: {
            /**
             * @description The kind of problem, for programs.
             * @example insufficient_stock
             * @enum {string}
             */
            code: "malformed" | "unauthenticated" | "forbidden" | "too_many_requests" | "not_found" | "method_not_allowed" | "expired_request" | "id_conflict" | "unknown_stock" | "no_location" | "insufficient_stock" | "not_on_sale" | "purchase_limit" | "campaign_sold_out" | "in_use" | "already_fulfilled" | "directory_is_file" | "wrong_state" | "version_conflict" | "too_large" | "unsupported_media_type" | "invalid_request" | "id_mismatch" | "internal" | "unavailable" | "rebuilding" | "not_durable_yet" | "backlog_full";
        } & (components["schemas"]["MalformedProblem"] | components["schemas"]["UnauthenticatedProblem"] | components["schemas"]["ForbiddenProblem"] | components["schemas"]["TooManyRequestsProblem"] | components["schemas"]["NotFoundProblem"] | components["schemas"]["MethodNotAllowedProblem"] | components["schemas"]["ExpiredRequestProblem"] | components["schemas"]["IdConflictProblem"] | components["schemas"]["UnknownStockProblem"] | components["schemas"]["NoLocationProblem"] | components["schemas"]["InsufficientStockProblem"] | components["schemas"]["NotOnSaleProblem"] | components["schemas"]["PurchaseLimitProblem"] | components["schemas"]["CampaignSoldOutProblem"] | components["schemas"]["InUseProblem"] | components["schemas"]["AlreadyFulfilledProblem"] | components["schemas"]["DirectoryIsFileProblem"] | components["schemas"]["WrongStateProblem"] | components["schemas"]["VersionConflictProblem"] | components["schemas"]["TooLargeProblem"] | components["schemas"]["UnsupportedMediaTypeProblem"] | components["schemas"]["InvalidRequestProblem"] | components["schemas"]["IdMismatchProblem"] | components["schemas"]["InternalProblem"] | components["schemas"]["UnavailableProblem"] | components["schemas"]["RebuildingProblem"] | components["schemas"]["NotDurableYetProblem"] | components["schemas"]["BacklogFullProblem"]);
        /** @description The customer would have too many units of a campaign. `campaign` is its id, `limit` the units that one customer may have, and `taken` the units that this customer already has. */
        PurchaseLimitProblem: {
            /**
             * @description not_on_sale, purchase_limit and campaign_sold_out: the id of the campaign.
             * @example drop-2026-11
             */
            campaign: string;
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "purchase_limit";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * @description purchase_limit: the customer, or the identity, that would exceed it.
             * @example c-9
             */
            identity?: string;
            /**
             * Format: int64
             * @description purchase_limit: units that one customer may have. campaign_sold_out: units that all customers may have.
             * @example 2
             */
            limit: number;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * Format: int64
             * @description purchase_limit: units that this customer already has. campaign_sold_out: units that all customers have.
             * @example 1
             */
            taken: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Purchase limit
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#purchase_limit
             */
            type: string;
        };
        PutLevelRequest: {
            /**
             * @description Who. Kept with the event. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of.
             * @example anna
             */
            actor?: string;
            /**
             * Format: date-time
             * @description The time of the count. Units that left or arrived since then are taken into account. Default: now.
             * @example 2026-11-20T06:00:00Z
             */
            as_of?: string;
            /**
             * Format: int64
             * @description Units that may be sold beyond on hand. Default: unchanged.
             * @example 0
             */
            backorder_limit?: number;
            /**
             * @description Your id for the operation, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation.
             * @example count-2026-11-20-berlin
             */
            id?: string;
            /**
             * Format: int64
             * @description Refuse with version_conflict unless on hand is this number. The problem's on_hand is the current number.
             * @example 38
             */
            if_on_hand?: number;
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * @description The person for whom the actor makes the change. Kept beside the actor.
             * @example anna
             */
            on_behalf_of?: string;
            /**
             * Format: int64
             * @description A count: the units at the location. Required without a policy field.
             * @example 40
             */
            on_hand?: number;
            /**
             * @description Why. Kept with the event.
             * @example yearly count
             */
            reason?: string;
            /**
             * Format: int64
             * @description Units to keep back from sale. Default: unchanged.
             * @example 2
             */
            safety_stock?: number;
        };
        RankRule: {
            /** @description Why the rule does not order some or all of the candidates. */
            abstains?: string;
            /**
             * @example nearest
             * @enum {string}
             */
            rule: "same_country" | "nearest" | "priority" | "cost" | "highest_stock";
            /**
             * @description What the rule compares, one entry per candidate.
             * @example [
             *       "berlin: 255 km"
             *     ]
             */
            says?: string[];
        };
        Ready: {
            /** @description What does not work, although the server can reserve. */
            degraded: string[];
            /** @enum {string} */
            status: "ok";
        };
        /** @description The stock in Redis is being rebuilt from the ledger. Nothing was changed. Repeat the same call. */
        RebuildingProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "rebuilding";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 503
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Rebuilding
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#rebuilding
             */
            type: string;
        };
        Rejected: {
            /** @example 1 */
            line: string;
            /** @example lyon */
            location: string;
            /** @enum {string} */
            reason: "not_in_channel" | "disabled" | "zone" | "not_pickup" | "no_level" | "not_pin" | "unknown_location";
        };
        Reservation: {
            /** @example web */
            channel?: string;
            /**
             * Format: date-time
             * @example 2026-11-27T08:00:00.000Z
             */
            created_at: string;
            /** @example c-9 */
            customer?: string;
            /** @description true if the ledger has the change, false only if the server has no ledger. Present after a confirm, a fulfill, and any other change of a confirmed reservation. */
            durable?: boolean;
            /**
             * Format: date-time
             * @description The deadline, to the millisecond. Present while the reservation is held, and if it expired.
             * @example 2026-11-27T08:10:00.000Z
             */
            expires_at?: string;
            /** @example ord-1001 */
            id: string;
            /**
             * @description The identities that purchase limits count beside the customer. Absent if no limit counts the reservation.
             * @example [
             *       "card:ab12"
             *     ]
             */
            identities?: string[] | null;
            lines: components["schemas"]["Line"][];
            /** @description Your own strings, in the answer of a read or a describe. Absent if there are none, if the ledger does not answer, and in the first moments of a reservation. */
            metadata?: {
                [key: string]: string;
            };
            /** @example 5512 */
            order?: string;
            /** @description Where the customer collects those lines. In the answer of a read or a search only. */
            pickup?: string;
            /** @description The address of the lines without a destination of their own. In the answer of a read or a search only. */
            ship_to?: components["schemas"]["Address"];
            /**
             * @description A hold past its deadline is expired, even if its units have not been returned yet.
             * @example held
             * @enum {string}
             */
            state: "held" | "confirmed" | "fulfilled" | "released" | "expired";
            /**
             * Format: int64
             * @description 1 at first. Each transition adds 1.
             * @example 1
             */
            version: number;
        };
        ReservationPage: {
            /** @description The cursor of the next page. Absent on the last page. */
            next_cursor?: string;
            /** @description The newest first. */
            reservations: components["schemas"]["Reservation"][];
        };
        ReserveRequest: {
            /**
             * @description The sales channel. Optional if the directory has a default channel.
             * @example web
             */
            channel?: string;
            /**
             * @description The customer. Campaigns count by it, and you can search by it.
             * @example c-9
             */
            customer?: string;
            /**
             * @description Your id for the reservation, and its idempotency key. Required, unless the header Idempotency-Key has it. An identifier is 1 to 128 bytes of UTF-8 without control characters or braces, and is not . or ..
             * @example ord-1001
             */
            id?: string;
            /**
             * @description Identities of the customer, such as a hashed card or a device. A purchase limit counts each of them as it counts the customer, and refuses if one of them would exceed it.
             * @example [
             *       "card:ab12"
             *     ]
             */
            identities?: string[] | null;
            lines: components["schemas"]["LineRequest"][];
            /** @description Your own strings, at most 512 bytes each. The ledger keeps them. */
            metadata?: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * @description The order. You can search by it.
             * @example 5512
             */
            order?: string;
            /** @description The location where the customer collects the order. Not allowed with ship_to. */
            pickup?: string;
            /**
             * @description Locations to try before the others, in this order. It makes no location a candidate.
             * @example [
             *       "lyon"
             *     ]
             */
            prefer?: string[] | null;
            /** @description The address that the order ships to. Not allowed with pickup. */
            ship_to?: components["schemas"]["Address"];
            /**
             * @description How far the reservation may be spread over locations. never: one location serves everything. lines: one location serves each line. units: several locations may serve a line. Default: the setting of the channel.
             * @example lines
             * @enum {string}
             */
            split?: "never" | "lines" | "units";
            /**
             * Format: int64
             * @description Seconds from now until the deadline. Default: 600.
             * @example 600
             */
            ttl_seconds?: number;
        };
        ReturnLine: {
            /** @example 1 */
            line: string;
            /**
             * Format: int64
             * @description Units, or kits if the line is a kit. At most what has left and has not come back.
             * @example 1
             */
            quantity: number;
        };
        ReturnRequest: {
            /**
             * @description Your id for the return, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation.
             * @example ret-1
             */
            id?: string;
            lines: components["schemas"]["ReturnLine"][];
            /**
             * @description The location that receives the units. If the SKU has no level there, one is created.
             * @example berlin
             */
            to: string;
            /**
             * Format: int64
             * @description Refuse unless the reservation has this version. Default: any version.
             * @example 3
             */
            version?: number;
        };
        Route: {
            /** @example web */
            channel?: string;
            lines: components["schemas"]["RoutedLine"][];
            /** @description How each rule of the channel orders the candidates. */
            ranking?: components["schemas"]["RankRule"][];
            /** @description The problem that a reserve would be answered with. Absent if it would succeed. */
            refusal?: components["schemas"]["Problem"];
            /**
             * @example lines
             * @enum {string}
             */
            split: "never" | "lines" | "units";
        };
        RouteRequest: {
            /**
             * @description The sales channel. Optional if the directory has a default channel.
             * @example web
             */
            channel?: string;
            /**
             * @description The customer. Campaigns count by it.
             * @example c-9
             */
            customer?: string;
            /** @description Ignored. */
            id?: string;
            /**
             * @description Identities of the customer. Purchase limits count by each of them.
             * @example [
             *       "card:ab12"
             *     ]
             */
            identities?: string[] | null;
            lines: components["schemas"]["LineRequest"][];
            /** @description Ignored. */
            metadata?: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description Ignored.
             */
            not_after?: string;
            /** @description Ignored. */
            order?: string;
            /** @description The location where the customer collects the order. Not allowed with ship_to. */
            pickup?: string;
            /**
             * @description Locations to try before the others, in this order. It makes no location a candidate.
             * @example [
             *       "lyon"
             *     ]
             */
            prefer?: string[] | null;
            /** @description The address that the order ships to. Not allowed with pickup. */
            ship_to?: components["schemas"]["Address"];
            /**
             * @description How far the reservation may be spread over locations. Default: the setting of the channel.
             * @example lines
             * @enum {string}
             */
            split?: "never" | "lines" | "units";
            /**
             * Format: int64
             * @description Ignored.
             */
            ttl_seconds?: number;
        };
        RoutedLine: {
            /**
             * @description The locations that may serve the line, in the order they are tried.
             * @example [
             *       "berlin",
             *       "lyon"
             *     ]
             */
            candidates: string[];
            /** @example 1 */
            line: string;
            /** @description Every other location, and why it can't serve the line. */
            rejected: components["schemas"]["LeftOut"][];
            /** @example TEE-M */
            sku: string;
            /** @description The locations that would serve the line. Empty if the reservation would be refused. */
            would_take: components["schemas"]["Allocation"][];
        };
        SKULevels: {
            /** @description In order of location. At least one. */
            levels: components["schemas"]["Level"][];
            /** @example TEE-M */
            sku: string;
        };
        SalesChannel: {
            /** @description Used by requests that name no channel. */
            default?: boolean;
            id: string;
            /** @description The locations it may sell from. This order decides ties. */
            locations: string[] | null;
            /** @description Each rule orders the locations that the rules before it left tied: same_country, nearest, priority, cost, highest_stock. */
            rank?: string[] | null;
            /** @description For requests without a split: never, lines (the default) or units. */
            split?: string;
        };
        ShortReservation: {
            /** @example c-9 */
            customer?: string;
            /** @example ord-1001 */
            id: string;
            /** @example 5512 */
            order?: string;
            /**
             * Format: int64
             * @description Units of the reservation that are committed at this level.
             * @example 2
             */
            quantity: number;
        };
        Shortage: {
            /**
             * Format: int64
             * @description The most units that this line could have had.
             * @example 1
             */
            available: number;
            /**
             * @description The line id. Absent if a stock change was refused.
             * @example 1
             */
            line?: string;
            /**
             * Format: int64
             * @description Units requested.
             * @example 2
             */
            requested: number;
            /** @example TEE-M */
            sku: string;
        };
        StockQuery: {
            /** @description The next_cursor of the previous page of the same query. Leave it out for the first page. */
            cursor?: string;
            /**
             * Format: int64
             * @description The most levels on the page. Default: 50.
             * @example 50
             */
            limit?: number;
            /**
             * @description Only these locations. Default: all.
             * @example [
             *       "berlin"
             *     ]
             */
            locations?: string[] | null;
            /**
             * @description Only these SKUs. Default: all.
             * @example [
             *       "TEE-M"
             *     ]
             */
            skus?: string[] | null;
        };
        /** @description The body is larger than 1 MiB. */
        TooLargeProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "too_large";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 413
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Body too large
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#too_large
             */
            type: string;
        };
        /** @description The key sent more requests a second than it may, or has too many calls under way. Nothing was changed. Repeat the same call after the seconds of the header `Retry-After`. */
        TooManyRequestsProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "too_many_requests";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 429
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Too many requests
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#too_many_requests
             */
            type: string;
        };
        TransferAnswer: {
            /**
             * Format: date-time
             * @description When the units were moved. In a replay: when they were moved first.
             * @example 2026-11-20T18:00:00.000Z
             */
            applied_at: string;
            /** @description true if the ledger has the change, false only if the server has no ledger. */
            durable: boolean;
            /** @example van-7 */
            id: string;
            /** @description The two current levels: from, then to. */
            levels: components["schemas"]["Level"][];
        };
        TransferRequest: {
            /**
             * @description Who. Kept with the event. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of.
             * @example anna
             */
            actor?: string;
            /**
             * @description The location that gives the units. The SKU must have a level there.
             * @example berlin
             */
            from: string;
            /**
             * @description Your id for the operation, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation.
             * @example van-7
             */
            id?: string;
            /**
             * Format: date-time
             * @description Refuse with expired_request after this moment, by the clock of the server. Default: no bound.
             * @example 2026-11-27T08:00:05.000Z
             */
            not_after?: string;
            /**
             * @description The person for whom the actor makes the change. Kept beside the actor.
             * @example anna
             */
            on_behalf_of?: string;
            /**
             * Format: int64
             * @description Units, at most what is on hand and available at from.
             * @example 6
             */
            quantity: number;
            /**
             * @description Why. Kept with the event.
             * @example closer to the customers
             */
            reason?: string;
            /** @example TEE-M */
            sku: string;
            /**
             * @description The location that receives the units. If the SKU has no level there, one is created.
             * @example lyon
             */
            to: string;
        };
        /** @description The call has no key, or one that does not exist, was revoked or has expired. Send the header `Authorization: Bearer` with a key. `role` is the role that it needs. Nothing was changed. */
        UnauthenticatedProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "unauthenticated";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * @description unauthenticated and forbidden: the role that the call needs.
             * @enum {string}
             */
            role: "read" | "sell" | "ship" | "stock" | "operate";
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 401
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Unauthenticated
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#unauthenticated
             */
            type: string;
        };
        /** @description Redis did not answer in time or refuses the call, or the server is overloaded or shutting down. `detail` says whether the outcome is unknown. Repeat the same call, with the same id if it has one. */
        UnavailableProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "unavailable";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 503
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Unavailable
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#unavailable
             */
            type: string;
        };
        UnfulfillRequest: {
            /**
             * @description Your id for the unfulfill, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation.
             * @example unship-1
             */
            id?: string;
            lines: components["schemas"]["ReturnLine"][];
            /**
             * @description The location that takes the units and serves them from now on. If the SKU has no level there, one is created. Default: the locations that they left from.
             * @example lyon
             */
            to?: string;
            /**
             * Format: int64
             * @description Refuse unless the reservation has this version. Default: any version.
             * @example 3
             */
            version?: number;
        };
        UnitsRequest: {
            /**
             * @description Your id for this step as an operation, and its idempotency key: a repeat changes nothing, whatever happened since. Not the id of another operation.
             * @example ship-1
             */
            id?: string;
            /** @description Only these units. Default: all units that are left. */
            lines?: components["schemas"]["LineQuantity"][] | null;
            /**
             * Format: int64
             * @description Refuse unless the reservation has this version. Required with lines if there is no id, so that a repeated call changes nothing.
             * @example 1
             */
            version?: number;
        };
        /** @description A SKU has no level at any location. `lines` lists the lines. */
        UnknownStockProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "unknown_stock";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * @description unknown_stock: the lines whose SKU has no level at any location.
             * @example [
             *       "1"
             *     ]
             */
            lines: string[];
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Unknown stock
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#unknown_stock
             */
            type: string;
        };
        /** @description Send a body with `Content-Type: application/json`. A directory may also be `application/yaml`. */
        UnsupportedMediaTypeProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "unsupported_media_type";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 415
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Unsupported media type
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#unsupported_media_type
             */
            type: string;
        };
        /** @description `version` or `If-Match` is not the current version, which `version` says. Or `if_on_hand` is not the current number of the level that `sku` and `location` name, which `on_hand` says. Read again before you decide. */
        VersionConflictProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "version_conflict";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * @description version_conflict of a level: its location.
             * @example berlin
             */
            location?: string;
            /**
             * Format: int64
             * @description version_conflict of a level, for if_on_hand: its current on hand.
             * @example 40
             */
            on_hand?: number;
            /**
             * @description version_conflict of a level: its SKU.
             * @example TEE-M
             */
            sku?: string;
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Version conflict
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#version_conflict
             */
            type: string;
            /**
             * Format: int64
             * @description version_conflict of a reservation: its current version.
             * @example 3
             */
            version?: number;
        };
        /** @description The transition does not apply to the current state of the reservation. `state` is the current state. */
        WrongStateProblem: {
            /**
             * @description The kind of problem, for programs. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            code: "wrong_state";
            /** @description What happened this time and what to do, for people. The wording may change. */
            detail: string;
            /**
             * @description wrong_state: the current state.
             * @enum {string}
             */
            state: "held" | "confirmed" | "fulfilled" | "released" | "expired";
            /**
             * Format: int64
             * @description The HTTP status.
             * @example 409
             */
            status: number;
            /**
             * @description The kind of problem in a few words. It is the same for every problem of its type.
             * @example Wrong state
             */
            title: string;
            /**
             * Format: uri-reference
             * @description The kind of problem, as a link to its explanation.
             * @example /docs/problems#wrong_state
             */
            type: string;
        };
        Zone: {
            /** @description ISO 3166-1, two letters. An empty list does not restrict. */
            countries?: string[] | null;
            id: string;
            /** @description Patterns: a postal code such as SW1A 1AA, its beginning and *, such as SW1*, a range such as 90210...99000, or one of these after !, which excludes. SE1 * is the British outward code SE1, not SE10. Case, spaces and hyphens are ignored. */
            postal_codes?: string[] | null;
            regions?: string[] | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process runs. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Live"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The server can reserve. `degraded` lists what does not work. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
        };
    };
    "start-audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "sku": "TEE-M"
                 *     }
                 */
                "application/json": components["schemas"]["AuditRequest"];
            };
        };
        responses: {
            /** @description The audit runs. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Audit"];
                };
            };
        };
    };
    audit: {
        parameters: {
            query?: {
                /** @description The most findings on the page. */
                limit?: number;
                /** @description The next_cursor of the previous page. Leave it out for the first page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The current state of the audit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Audit"];
                };
            };
        };
    };
    availability: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "channel": "web",
                 *       "ship_to": {
                 *         "country": "DE"
                 *       },
                 *       "skus": [
                 *         "TEE-M",
                 *         "CAP"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["AvailabilityRequest"];
            };
        };
        responses: {
            /** @description The units of each SKU. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Availability"];
                };
            };
        };
    };
    changes: {
        parameters: {
            query?: {
                /** @description The most changes on the page. */
                limit?: number;
                /** @description The next_cursor of the previous page. Leave it out for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePage"];
                };
            };
        };
    };
    directory: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The current version. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Directory"];
                    "application/yaml": string;
                };
            };
        };
    };
    "put-directory": {
        parameters: {
            query?: {
                /** @description Who applies the directory. Kept with the version. If the call has a key, the actor is its name, and this counts as on_behalf_of. */
                actor?: string;
                /** @description The person for whom the actor applies it. Kept beside the actor. */
                on_behalf_of?: string;
            };
            header?: {
                /** @description The current version that you expect, such as "3". Default: any version. */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "locations": [
                 *         {
                 *           "id": "berlin",
                 *           "country": "DE",
                 *           "zones": [
                 *             "eu"
                 *           ]
                 *         },
                 *         {
                 *           "id": "lyon",
                 *           "country": "FR",
                 *           "zones": [
                 *             "eu"
                 *           ]
                 *         }
                 *       ],
                 *       "zones": [
                 *         {
                 *           "id": "eu",
                 *           "countries": [
                 *             "DE",
                 *             "FR"
                 *           ]
                 *         }
                 *       ],
                 *       "channels": [
                 *         {
                 *           "id": "web",
                 *           "default": true,
                 *           "locations": [
                 *             "berlin",
                 *             "lyon"
                 *           ],
                 *           "rank": [
                 *             "same_country"
                 *           ],
                 *           "split": "lines"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["DirectoryRequest"];
                /**
                 * @example locations:
                 *       - {id: berlin, country: DE, zones: [eu]}
                 *       - {id: lyon, country: FR, zones: [eu]}
                 *     zones:
                 *       - {id: eu, countries: [DE, FR]}
                 *     channels:
                 *       - {id: web, default: true, locations: [berlin, lyon], rank: [same_country], split: lines}
                 */
                "application/yaml": string;
            };
        };
        responses: {
            /** @description The current version. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Directory"];
                    "application/yaml": string;
                };
            };
        };
    };
    reservations: {
        parameters: {
            query?: {
                /** @description Only reservations in this state. A hold past its deadline is expired. */
                state?: "held" | "confirmed" | "fulfilled" | "released" | "expired";
                /** @description Only reservations whose id begins with this. */
                id_prefix?: string;
                /** @description Only reservations of this order. */
                order?: string;
                /** @description Only reservations of this customer. */
                customer?: string;
                /** @description Only reservations with a line of this id. */
                line?: string;
                /** @description Only reservations with a line of this SKU. */
                sku?: string;
                /** @description Only reservations with a line that this location serves. */
                location?: string;
                /** @description The most reservations on the page. */
                limit?: number;
                /** @description The next_cursor of the previous page. Leave it out for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReservationPage"];
                };
            };
        };
    };
    reserve: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "ord-1001",
                 *       "channel": "web",
                 *       "customer": "c-9",
                 *       "ship_to": {
                 *         "country": "DE"
                 *       },
                 *       "ttl_seconds": 600,
                 *       "lines": [
                 *         {
                 *           "line": "1",
                 *           "sku": "TEE-M",
                 *           "quantity": 2
                 *         },
                 *         {
                 *           "line": "2",
                 *           "sku": "CAP",
                 *           "quantity": 1
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["ReserveRequest"];
            };
        };
        responses: {
            /** @description The same request was answered before: the current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
            /** @description The units are held. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    reservation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    describe: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "order": "5512",
                 *       "metadata": {
                 *         "gift": "yes"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["DescribeRequest"];
                /**
                 * @example {
                 *       "order": "5512",
                 *       "metadata": {
                 *         "gift": "yes"
                 *       }
                 *     }
                 */
                "application/merge-patch+json": components["schemas"]["DescribeRequest"];
            };
        };
        responses: {
            /** @description The current reservation, with its metadata. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    amend: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "chg-1",
                 *       "lines": [
                 *         {
                 *           "line": "1",
                 *           "quantity": 3
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["AmendRequest"];
            };
        };
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    confirm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "version": 1
                 *     }
                 */
                "application/json": components["schemas"]["ConfirmRequest"];
            };
        };
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    extend: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "ttl_seconds": 900
                 *     }
                 */
                "application/json": components["schemas"]["ExtendRequest"];
            };
        };
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    fulfill: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "id": "ship-1",
                 *       "lines": [
                 *         {
                 *           "line": "1",
                 *           "quantity": 2
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["UnitsRequest"];
            };
        };
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    move: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "move-1",
                 *       "line": "1",
                 *       "to": "lyon"
                 *     }
                 */
                "application/json": components["schemas"]["MoveRequest"];
            };
        };
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    release: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "id": "cancel-1",
                 *       "lines": [
                 *         {
                 *           "line": "1",
                 *           "quantity": 1
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["UnitsRequest"];
            };
        };
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    return: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "ret-1",
                 *       "to": "berlin",
                 *       "lines": [
                 *         {
                 *           "line": "1",
                 *           "quantity": 1
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["ReturnRequest"];
            };
        };
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    unfulfill: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Percent-encoded: write / as %2F. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "unship-1",
                 *       "lines": [
                 *         {
                 *           "line": "1",
                 *           "quantity": 1
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["UnfulfillRequest"];
            };
        };
        responses: {
            /** @description The current reservation. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    route: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "channel": "web",
                 *       "ship_to": {
                 *         "country": "DE"
                 *       },
                 *       "lines": [
                 *         {
                 *           "line": "1",
                 *           "sku": "TEE-M",
                 *           "quantity": 2
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["RouteRequest"];
            };
        };
        responses: {
            /** @description How the reservation would be served. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Route"];
                };
            };
        };
    };
    levels: {
        parameters: {
            query?: {
                /** @description Only levels at this location. */
                location?: string;
                /** @description Only levels whose SKU begins with this. */
                sku_prefix?: string;
                /** @description The most levels on the page. */
                limit?: number;
                /** @description The next_cursor of the previous page. Leave it out for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LevelPage"];
                };
            };
        };
    };
    adjust: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "delivery-881",
                 *       "sku": "TEE-M",
                 *       "location": "berlin",
                 *       "delta": 12,
                 *       "reason": "delivery"
                 *     }
                 */
                "application/json": components["schemas"]["AdjustmentRequest"];
            };
        };
        responses: {
            /** @description The current level. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLevel"];
                };
            };
            /** @description This call created the level. The current level. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLevel"];
                };
            };
        };
    };
    count: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "count-2",
                 *       "counts": [
                 *         {
                 *           "sku": "TEE-M",
                 *           "location": "lyon",
                 *           "on_hand": 12
                 *         },
                 *         {
                 *           "sku": "CAP",
                 *           "location": "berlin",
                 *           "on_hand": 8
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["CountsRequest"];
            };
        };
        responses: {
            /** @description The current levels. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CountsAnswer"];
                };
            };
        };
    };
    "query-levels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "skus": [
                 *         "TEE-M"
                 *       ],
                 *       "locations": [
                 *         "berlin",
                 *         "lyon"
                 *       ],
                 *       "limit": 50
                 *     }
                 */
                "application/json": components["schemas"]["StockQuery"];
            };
        };
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LevelPage"];
                };
            };
        };
    };
    transfer: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "van-7",
                 *       "sku": "TEE-M",
                 *       "from": "berlin",
                 *       "to": "lyon",
                 *       "quantity": 6
                 *     }
                 */
                "application/json": components["schemas"]["TransferRequest"];
            };
        };
        responses: {
            /** @description The current levels. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferAnswer"];
                };
            };
        };
    };
    "levels-of-sku": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded: write / as %2F. */
                sku: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every level of the SKU. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SKULevels"];
                };
            };
        };
    };
    "put-level": {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the call, in place of the field of the body. Quotes around it are left out. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Percent-encoded: write / as %2F. */
                sku: string;
                /** @description Percent-encoded: write / as %2F. */
                location: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "id": "count-1",
                 *       "on_hand": 40,
                 *       "safety_stock": 2,
                 *       "reason": "yearly count",
                 *       "actor": "anna"
                 *     }
                 */
                "application/json": components["schemas"]["PutLevelRequest"];
            };
        };
        responses: {
            /** @description The current level. */
            200: {
                headers: {
                    /** @description `true` if the same request was answered before and nothing was changed. */
                    "Idempotent-Replay"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLevel"];
                };
            };
            /** @description This call created the level. The current level. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedLevel"];
                };
            };
        };
    };
    "remove-level": {
        parameters: {
            query?: {
                /** @description Why. Kept with the event. */
                reason?: string;
                /** @description The person for whom the actor removes it. */
                on_behalf_of?: string;
            };
            header?: never;
            path: {
                /** @description Percent-encoded: write / as %2F. */
                sku: string;
                /** @description Percent-encoded: write / as %2F. */
                location: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The level is gone, from the ledger too. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
