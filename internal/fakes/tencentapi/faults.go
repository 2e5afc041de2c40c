package tencentapi

import (
	"net/http"

	"github.com/giftstats/giftstats/internal/fakes/fault"
)

// Fault is a way to misbehave. Its Code is one of the service's, like RequestLimitExceeded.
type Fault = fault.Fault

// Misbehave adds a fault. A request takes the first one that is meant for its action; the next gets its turn when that one is
// used up.
func (s *Server) Misbehave(fault Fault) { s.faults.Add(fault) }

// Heal removes all faults.
func (s *Server) Heal() { s.faults.Heal() }

// sendFault answers in place of the service.
func sendFault(f Fault, w http.ResponseWriter, id string) {
	if f.Code != "" {
		w.Header().Set("Content-Type", "application/json")
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	if f.Code != "" {
		send(w, id, nil, &failure{f.Code, f.Message})
		return
	}
	w.Write(f.Body)
}
