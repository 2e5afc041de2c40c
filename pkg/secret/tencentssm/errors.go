package tencentssm

import "strings"

// advice says what to do about the errors that a wrong set-up gives.
//
// Sources: https://cloud.tencent.com/document/api/1140/40531, https://www.tencentcloud.com/document/product/1078/38612
func advice(code string) string {
	switch {
	case code == "ResourceNotFound":
		return "check the name, the version and the region; a secret made by hand needs its real version, like version=v1"
	case strings.HasPrefix(code, "ResourceUnavailable"):
		return "the secret is disabled or marked for deletion, or the service is not activated"
	case strings.HasPrefix(code, "UnauthorizedOperation"), code == "AuthFailure.UnauthorizedOperation":
		return "the function's role needs ssm:GetSecretValue on this secret"
	case code == "AuthFailure.SecretIdNotFound":
		return "the credentials do not exist here; accounts of the international site need endpoint=https://ssm.intl.tencentcloudapi.com"
	case code == "FailedOperation.AccessKmsError":
		return "the secret's KMS key could not be used: check that it is enabled and that the role may use it"
	case strings.HasPrefix(code, "RequestLimitExceeded"):
		return "too many reads: raise GIFTSTATS_SECRET_TTL"
	}
	return ""
}
