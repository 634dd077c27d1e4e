package wire

// State is the state of a reservation.
type State string

// The states, as records store them.
const (
	StateHeld      State = "held"
	StateConfirmed State = "confirmed"
	StateFulfilled State = "fulfilled"
	StateReleased  State = "released"
	StateExpired   State = "expired"
)
