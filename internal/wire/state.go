package wire

// State is where a reservation stands.
type State string

// The states of a reservation, as records have them.
const (
	StateHeld      State = "held"
	StateConfirmed State = "confirmed"
	StateFulfilled State = "fulfilled"
	StateReleased  State = "released"
	StateExpired   State = "expired"
)
