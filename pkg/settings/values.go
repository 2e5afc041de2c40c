package settings

import (
	"log/slog"
	"math"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/endpoint"
	"github.com/giftstats/giftstats/pkg/giftstats"
)

func (p *parser) endpoint(name string) *url.URL {
	value := p.take(name)
	if value == "" {
		if !p.platform.Local {
			p.errorf(name, "is required: set the app's region (%s) or an https:// URL", strings.Join(Regions(), ", "))
		}
		return nil
	}
	endpoint, err := parseEndpoint(value)
	if err != nil {
		p.errorf(name, "%v", err)
	}
	return endpoint
}

func (p *parser) auth(name string) Auth {
	value := p.take(name)
	if value == "" {
		return Auth{APIKey: true, UserSig: p.platform.Local}
	}
	if value == "none" {
		return Auth{Open: true}
	}
	var auth Auth
	for method := range strings.SplitSeq(value, ",") {
		switch strings.TrimSpace(method) {
		case "api-key":
			auth.APIKey = true
		case "usersig":
			auth.UserSig = true
		case "none":
			p.errorf(name, "must not combine none with other methods")
		default:
			p.errorf(name, "must be a comma-separated list of api-key and usersig, or none")
		}
	}
	return auth
}

func (p *parser) basePath(name string) string {
	value := strings.TrimRight(p.take(name), "/")
	if value != "" && (path.Clean(value) != value || value[0] != '/' || strings.ContainsAny(value, "?#%")) {
		p.errorf(name, "must be a plain path with a leading slash, like /prod")
	}
	return value
}

func (p *parser) origins(name string) []string {
	value := p.take(name)
	if value == "" {
		return nil
	}
	var origins []string
	for i, origin := range strings.Split(value, ",") {
		origin = strings.TrimSpace(origin)
		if err := endpoint.CheckOrigin(origin); err != nil {
			p.errorf(name, "%v (entry %d of the list)", err, i+1)
			continue
		}
		origins = append(origins, origin)
	}
	return origins
}

func (p *parser) rate(name string, preset float64) float64 {
	value := p.take(name)
	if value == "" {
		return preset
	}
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(rate) || rate < 0.01 || rate > 100_000 {
		p.errorf(name, "must be a number of calls per second from 0.01 to 100000, like %v", preset)
	}
	return rate
}

// rateShared does not accept less than one call per second: a slot would take so long that the ledger, which does not believe in slots that
// are more than a minute ahead (ledger.MaxSlotsAhead), would take it for the work of a wrong clock and give it again.
func (p *parser) rateShared(name string) float64 {
	value := p.take(name)
	if value == "" {
		return 0
	}
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || rate != 0 && !(rate >= 1 && rate <= 100_000) {
		p.errorf(name, "must be 0, or a number of calls per second from 1 to 100000, like 80")
	}
	return rate
}

func (p *parser) duration(name string, preset, least, most time.Duration) time.Duration {
	value := p.take(name)
	if value == "" {
		return preset
	}
	duration, err := time.ParseDuration(value)
	if err != nil || duration < least || duration > most {
		p.errorf(name, "must be a duration with a unit, from %s to %s, like %s", short(least), short(most), short(preset))
	}
	return duration
}

// short formats a duration as people write it in a setting: 5m, not 5m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (p *parser) count(name string, preset, most int) int {
	value := p.take(name)
	if value == "" {
		return preset
	}
	count, err := strconv.Atoi(value)
	if err != nil || count < 1 || count > most {
		p.errorf(name, "must be a whole number from 1 to %d", most)
	}
	return count
}

func (p *parser) flag(name string, preset bool) bool {
	switch p.take(name) {
	case "":
		return preset
	case "true":
		return true
	case "false":
		return false
	default:
		p.errorf(name, "must be true or false")
		return false
	}
}

func (p *parser) appID(name string) int64 {
	value := p.take(name)
	if value == "" {
		return 0
	}
	id, err := strconv.ParseInt(value, 10, 64)
	if err != nil || id <= 0 {
		p.errorf(name, "must be the app's number, like 1400000000")
	}
	return id
}

func (p *parser) account(name string) string {
	value := p.take(name)
	if value != "" && giftstats.ValidateAccount(value) != nil {
		p.errorf(name, "must be an account of at most %d bytes", giftstats.MaxAccountBytes)
	}
	return value
}

func (p *parser) level(name string) slog.Level {
	switch p.take(name) {
	case "debug":
		return slog.LevelDebug
	case "", "info":
		return slog.LevelInfo
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		p.errorf(name, "must be debug, info, warn or error")
		return slog.LevelInfo
	}
}
