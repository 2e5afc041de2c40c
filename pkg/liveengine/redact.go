package liveengine

import "strings"

const (
	maxErrorInfo = 512 // bytes kept of Tencent's error text
	maxRequestID = 128 // bytes kept of Tencent's request id; the documented ones have about 60
	minFragment  = 8   // so many characters of a UserSig in a row are no coincidence
	redacted     = "[redacted]"
)

// redact replaces what a text contains of the signature: the whole of it or a fragment, as it is or escaped for a URL.
func (s *signature) redact(text string) string {
	var clean strings.Builder
	kept := 0
	for i := 0; i+minFragment <= len(text); {
		if !s.fragments[text[i:i+minFragment]] {
			i++
			continue
		}
		clean.WriteString(text[kept:i])
		clean.WriteString(redacted)
		i += max(fragment(s.usersig, text[i:]), fragment(s.escaped, text[i:]))
		kept = i
	}
	if kept == 0 {
		return text
	}
	return clean.String() + text[kept:]
}

// fragments returns all parts of texts that are minFragment long.
func fragments(texts ...string) map[string]bool {
	parts := map[string]bool{}
	for _, text := range texts {
		for end := minFragment; end <= len(text); end++ {
			parts[text[end-minFragment:end]] = true
		}
	}
	return parts
}

// fragment returns the length of the longest fragment of the signature that the text begins with, or 0 if that is too short to tell.
func fragment(signature, text string) int {
	length := minFragment
	if !strings.Contains(signature, text[:length]) {
		return 0
	}
	for length < len(text) && strings.Contains(signature, text[:length+1]) {
		length++
	}
	return length
}

// errorInfo returns an error text of Tencent's that is safe to show: bounded, without the signature, and valid UTF-8.
func (s *signature) errorInfo(info string) string {
	if len(info) > maxErrorInfo {
		info = info[:maxErrorInfo] + "…"
	}
	return strings.ToValidUTF8(s.redact(info), "")
}

// requestID returns a request id of Tencent's that is safe to show: bounded, printable, and without the signature.
func (s *signature) requestID(id string) string {
	if len(id) > maxRequestID {
		id = id[:maxRequestID]
	}
	id = s.redact(strings.Map(printable, id))
	return id[:min(len(id), maxRequestID)]
}

// printable drops what is not printable ASCII, for strings.Map.
func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}
