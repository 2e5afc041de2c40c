package simulator

import (
	"fmt"

	"github.com/giftstats/giftstats/pkg/simulator/fault"
)

// WebhookLoss makes webhooks get lost on their way: the room changes as usual, and nothing is sent.
type WebhookLoss struct {
	Command string // lose this webhook only; if empty, any
	Skip    int    // let this many pass first
	Times   int    // then lose this many; negative means no limit, 0 means 1, or no limit if Probability is set

	// Probability is the chance that a webhook is lost, drawn from Config.Rand. If it is not between 0 and 1, every one is.
	Probability float64
}

// LoseWebhooks adds a rule. A webhook follows the first rule for its command; when that rule is used up, the next one takes
// over. [Engine.Heal] removes all rules.
func (e *Engine) LoseWebhooks(loss WebhookLoss) error {
	if loss.Command != "" && !isWebhook(loss.Command) {
		return fmt.Errorf("simulator: unknown webhook %q", loss.Command)
	}
	e.losses.Add(fault.Rule{Target: loss.Command, Skip: loss.Skip, Times: loss.Times, Probability: loss.Probability}, struct{}{})
	return nil
}
