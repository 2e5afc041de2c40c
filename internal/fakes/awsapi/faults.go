package awsapi

import (
	"net/http"

	"github.com/giftstats/giftstats/internal/fakes/fault"
)

// Fault is a way to misbehave. Its Code is one of the service's, like ThrottlingException.
type Fault = fault.Fault

// Misbehave adds a fault. A request takes the first one that is meant for its action; the next gets its turn when that one is
// used up.
func (s *Server) Misbehave(fault Fault) { s.faults.Add(fault) }

// Heal removes all faults.
func (s *Server) Heal() { s.faults.Heal() }

// sendFault answers in place of the service.
func sendFault(f Fault, w http.ResponseWriter) {
	switch {
	case f.Code != "":
		status := f.Status
		if status == 0 {
			status = http.StatusBadRequest
		}
		(&failure{status: status, code: f.Code, message: f.Message}).send(w)
		return
	case f.Status != 0:
		w.WriteHeader(f.Status)
	}
	w.Write(f.Body)
}
