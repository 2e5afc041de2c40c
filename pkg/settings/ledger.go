package settings

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

func (p *parser) ledger(name string) *Location {
	value := p.take(name)
	switch {
	case value == "" && p.platform.Local:
		return &Location{Scheme: "memory"}
	case value == "":
		return nil
	}
	location, err := p.parseLedger(value)
	if err != nil {
		p.errorf(name, "%v", err)
	}
	return location
}

func (p *parser) parseLedger(text string) (*Location, error) {
	if text == "memory://" && p.platform.Local {
		return &Location{Scheme: "memory"}, nil
	}
	location, err := parseLocation(text, p.platform, p.platform.Ledgers, "dynamodb", "redis", "rediss", "memory")
	if err != nil {
		return nil, err
	}
	switch location.Scheme {
	case "dynamodb":
		err = checkTable(location.Name)
	case "redis", "rediss":
		err = checkRedis(location.Scheme, location.Name)
	case "memory":
		err = errors.New("must be exactly memory://")
	}
	if err != nil {
		return nil, err
	}
	return location, nil
}

// checkTable returns an error unless name follows DynamoDB's naming rules.
//
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
func checkTable(name string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	if len(name) < 3 || len(name) > 255 || strings.Trim(name, allowed) != "" {
		return errors.New("must name a table like dynamodb://giftstats: 3 to 255 letters, digits or one of _ . -")
	}
	return nil
}

// checkRedis returns an error unless name is HOST:PORT/DB. A password is refused, because consoles show environment variables.
func checkRedis(scheme, name string) error {
	if strings.Contains(name, "@") {
		return errors.New("must not contain a user or password: put them in the secret document, as ledger.username and ledger.password")
	}
	address, database, _ := strings.Cut(name, "/")
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || !isNumber(port, 16) || !isNumber(database, 31) {
		return errors.New("must be like " + scheme + "://HOST:PORT/DB, where DB is the number of the database, usually 0")
	}
	if scheme == "redis" && !endpoint.Private(host) {
		return errors.New("must start with rediss:// (redis:// is allowed for loopback and private addresses only)")
	}
	return nil
}

func isNumber(text string, bits int) bool {
	_, err := strconv.ParseUint(text, 10, bits)
	return err == nil
}
