package simulator

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// maxTicket bounds what a signature may unpack to, in bytes.
const maxTicket = 64 << 10

// ticket is what a UserSig says.
//
// Source: https://github.com/tencentyun/tls-sig-api-v2-golang
type ticket struct {
	identifier string
	app        int64
	time       int64  // Unix seconds
	expire     int64  // seconds after time
	userBuf    string // standard base64; "" for none
	mac        []byte
}

// parseTicket decodes the three layers of a UserSig: base64 with a special alphabet, zlib, JSON. It is strict: line breaks and
// bytes after the end are errors.
func parseTicket(sig string) (ticket, error) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-"
	packed, err := decode64(base64.NewEncoding(alphabet).WithPadding('_'), sig)
	if err != nil {
		return ticket{}, err
	}
	text, err := unpack(packed)
	if err != nil {
		return ticket{}, err
	}
	members, err := parseObject("", text)
	if err != nil {
		return ticket{}, err
	}
	return readTicket(members)
}

// decode64 is strict: it refuses line breaks, which the standard library ignores.
func decode64(encoding *base64.Encoding, text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("a line break in base64")
	}
	raw, err := encoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("invalid base64: %w", err)
	}
	return raw, nil
}

func unpack(packed []byte) ([]byte, error) {
	rest := bytes.NewReader(packed)
	unpacker, err := zlib.NewReader(rest)
	if err != nil {
		return nil, fmt.Errorf("not zlib: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(unpacker, maxTicket+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("broken zlib: %w", err)
	case len(text) > maxTicket:
		return nil, fmt.Errorf("more than %d bytes when unpacked", maxTicket)
	case rest.Len() > 0:
		return nil, fmt.Errorf("%d bytes after the end", rest.Len())
	}
	return text, nil
}

func readTicket(members *object) (ticket, error) {
	t := ticket{
		identifier: members.text("TLS.identifier"),
		app:        members.integer("TLS.sdkappid"),
		time:       members.integer("TLS.time"),
		expire:     members.integer("TLS.expire"),
	}
	version, mac := members.text("TLS.ver"), members.text("TLS.sig")
	if members.has("TLS.userbuf") {
		t.userBuf = members.text("TLS.userbuf")
	}
	if members.err != nil {
		return ticket{}, members.err
	}
	var err error
	switch {
	case version != "2.0":
		return ticket{}, fmt.Errorf("TLS.ver is %q and not 2.0", version)
	case t.time < 0 || t.expire < 0:
		return ticket{}, errors.New("TLS.time or TLS.expire is negative")
	case strings.ContainsFunc(t.identifier, unicode.IsControl):
		// With line breaks, the lines that the MAC covers could be those of another ticket.
		return ticket{}, errors.New("TLS.identifier has a control character")
	}
	if _, err = decode64(base64.StdEncoding, t.userBuf); err != nil {
		return ticket{}, fmt.Errorf("TLS.userbuf: %w", err)
	}
	if t.mac, err = decode64(base64.StdEncoding, mac); err != nil {
		return ticket{}, fmt.Errorf("TLS.sig: %w", err)
	}
	return t, nil
}
