"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "trust.seal_key_added": pgettext_lazy("audit", "新增加密密钥"),
    "trust.seal_keys_wrapped": pgettext_lazy("audit", "用口令保护加密密钥"),
    "trust.trail_archived": pgettext_lazy("audit", "归档审计记录"),
    "trust.authority_founded": pgettext_lazy("audit", "建立证书机构"),
    "trust.authority_certified": pgettext_lazy("audit", "为下级证书机构签发证书"),
    "trust.certificate_issued": pgettext_lazy("audit", "签发数字证书"),
    "trust.certificate_revoked": pgettext_lazy("audit", "吊销已签发的数字证书"),
    "trust.root_trusted": pgettext_lazy("audit", "信任根证书"),
    "trust.root_distrusted": pgettext_lazy("audit", "取消信任根证书"),
    "trust.key_made": pgettext_lazy("audit", "生成密钥"),
    "trust.key_rotated": pgettext_lazy("audit", "更换密钥"),
    "trust.key_revoked": pgettext_lazy("audit", "作废密钥"),
}
TARGETS: dict[str, str | Promise] = {
    "seal_key": pgettext_lazy("one", "加密密钥"),
    "audit_batch": pgettext_lazy("one", "审计记录批次"),
    "authority": pgettext_lazy("one", "证书机构"),
    "root": pgettext_lazy("one", "根证书"),
    "key": pgettext_lazy("one", "密钥"),
}
