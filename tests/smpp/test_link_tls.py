"""TLS: the certificate and the name of the centre are checked, ours is shown when it is asked for."""

import datetime
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from smpp.settings import Tls
from smpp.testing.centre import Centre
from tests.smpp.link_owner import Owner, make_link


class Authority:
    """A certificate authority that lives for one test."""

    def __init__(self, folder, name):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        authority = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = self._sign(self.name, self.key, [(authority, True)])
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *alternatives) -> tuple[str, str]:
        """Certificate and key files of somebody."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        extra = [(x509.SubjectAlternativeName(list(alternatives)), False)] if alternatives else []
        certificate = self._sign(subject, key, extra)
        stem = self.folder / f"{name}-{key.public_key().public_numbers().x % 10**9}"
        stem.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        stem.with_suffix(".key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return str(stem.with_suffix(".crt")), str(stem.with_suffix(".key"))

    def _sign(self, subject, key, extensions):
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "operator")


def server_context(certificate, key, client_authority=None):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


LOCAL = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


async def test_a_dialogue_over_tls(authority):
    context = server_context(*authority.issue("centre", LOCAL))
    owner = Owner()
    async with Centre(tls=context) as centre:
        link = make_link(owner, centre.port, tls=Tls(ca_file=str(authority.file)))
        link.start()
        await centre.bound()
        assert (await centre.dial("79161234567", "*929#")).screen == "echo *929#"
        await link.close(0.5)


async def test_the_name_asked_for_may_differ_from_the_host(authority):
    context = server_context(*authority.issue("centre", x509.DNSName("smsc.example")))
    owner = Owner()
    async with Centre(tls=context) as centre:
        tls = Tls(ca_file=str(authority.file), server_name="smsc.example")
        link = make_link(owner, centre.port, tls=tls)
        link.start()
        await centre.bound()
        await link.close(0.5)


@pytest.mark.parametrize("wrong", ["name", "authority"])
async def test_a_centre_that_is_not_the_one_is_never_told_the_password(authority, tmp_path, wrong):
    context = server_context(*authority.issue("centre", x509.DNSName("smsc.example")))
    stranger = Authority(tmp_path, "stranger")
    trusted = stranger if wrong == "authority" else authority
    name = "smsc.example" if wrong == "authority" else None
    owner = Owner()
    async with Centre(tls=context) as centre:
        link = make_link(owner, centre.port, tls=Tls(ca_file=str(trusted.file), server_name=name))
        link.start()
        await owner.until(lambda: len(owner.downs) >= 2)
        assert "certificate verify failed" in owner.downs[0].reason
        assert "told no password" in owner.downs[0].reason
        assert owner.downs[0].alarm
        assert "certificate verify failed" in link.alarm
        assert owner.ups == []
        assert centre.ledger.counters["binds"] == 0
        await link.close(0.1)


async def test_our_certificate_is_shown_to_a_centre_that_wants_one(authority):
    context = server_context(*authority.issue("centre", LOCAL), client_authority=str(authority.file))
    certificate, key = authority.issue("gudok")
    owner, stranger = Owner(), Owner()
    async with Centre(tls=context) as centre:
        tls = Tls(str(authority.file), None, certificate, key)
        link = make_link(owner, centre.port, tls=tls)
        link.start()
        await centre.bound()
        nameless = make_link(stranger, centre.port, tls=Tls(ca_file=str(authority.file)))
        nameless.start()
        await stranger.until(lambda: stranger.downs)
        assert stranger.ups == []
        await nameless.close(0.1)
        await link.close(0.5)
