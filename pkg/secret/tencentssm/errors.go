package tencentssm

import "strings"

// advice says how to correct the set-up after an error code. It returns an empty string for other codes.
//
// Sources: https://cloud.tencent.com/document/api/1140/40531, https://www.tencentcloud.com/document/product/1078/38612
func advice(code string) string {
	switch {
	case code == "ResourceNotFound":
		return "check the name, the version and the region; a custom secret needs its own version, like version=v1"
	case strings.HasPrefix(code, "ResourceUnavailable"):
		return "the secret is disabled or marked for deletion, or the service is not activated"
	case strings.HasPrefix(code, "UnauthorizedOperation"), code == "AuthFailure.UnauthorizedOperation":
		return "the function's role needs ssm:GetSecretValue on this secret"
	case code == "AuthFailure.SecretIdNotFound":
		return "the credentials are unknown at this endpoint; " +
			"accounts of the international site may need endpoint=https://ssm.intl.tencentcloudapi.com"
	case code == "FailedOperation.AccessKmsError":
		return "check that the secret's KMS key is enabled and that the function's role may use it"
	case strings.HasPrefix(code, "RequestLimitExceeded"):
		return "too many reads: raise GIFTSTATS_SECRET_TTL"
	}
	return ""
}
