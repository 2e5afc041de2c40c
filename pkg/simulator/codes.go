package simulator

import "fmt"

// The codes of the engine's own answers.
//
// Sources: https://www.tencentcloud.com/document/product/1047/34348 and https://cloud.tencent.com/document/product/679/131708
// (60000 to 79999), the pages of the commands (above 100000).
const (
	codeHTTP           = 60002  // HTTP parse error
	codeJSON           = 60003  // JSON parse error
	codeAppInvalid     = 60006  // SDKAppID invalid
	codeFrequency      = 60007  // too many calls
	codeCommand        = 60009  // wrong resource
	codeNotAdmin       = 60010  // needs administrator rights
	codeAppMissing     = 60012  // SDKAppID missing
	codeURL            = 60025  // identifier or contenttype in the URL wrong
	codeExpired        = 70001  // UserSig expired
	codeSigMissing     = 70002  // UserSig empty
	codeSigMalformed   = 70003  // UserSig malformed or cut
	codeSigMismatch    = 70009  // signature check failed: another key
	codeIdentifier     = 70013  // identifier differs from the one in the UserSig
	codeApp            = 70014  // SDKAppID differs from the one in the UserSig
	codeAppUnknown     = 70020  // SDKAppID not found
	codeShutOff        = 70050  // signature check failed too often
	codeAccountUnknown = 70107  // account not imported
	codeParameter      = 100002 // bad parameter
	codeRoomExists     = 100003 // room id already used
	codeRoomUnknown    = 100004 // room never existed, or was dissolved
	codeGiftUnknown    = 102002 // gift id unknown
	codeWebhookFailed  = 102004 // the webhook before the gift failed
)

// Codes of the webhook before a gift that are passed on to the sender.
const (
	minPassedOn = 102100
	maxPassedOn = 102200
)

// Error is a refusal. A caller over HTTP gets it as ErrorCode and ErrorInfo.
type Error struct {
	Code int
	Info string
}

func (e *Error) Error() string { return fmt.Sprintf("simulator: %d: %s", e.Code, e.Info) }

func refuse(code int, format string, args ...any) error {
	return &Error{Code: code, Info: fmt.Sprintf(format, args...)}
}
