"""Published test vectors: names and bytes that other implementations agree on.

Nodes: https://ipld.io/specs/codecs/dag-pb/fixtures/cross-codec/.
CIDs: https://github.com/multiformats/cid. Files: content that `pattern` makes, laid out as
`ipfs add` documents it with and without `--cid-version=1`; their names agree with the package
`aleph-cid`. A real `ipfs add` was not run.
"""

_CHILD = "0a2212208ab7a6c5e74737878ac73863cb76739d15d4666de44e5756bf55a2f9e9ab5f"
_RAW = "0a09015500050001020304"
_TWO_LINKS = (
    f"1234{_CHILD}431209736f6d65206c696e6b1880c2d72f"
    f"1237{_CHILD}44120f736f6d65206f74686572206c696e6b1808"
    "0a09736f6d652064617461"
)

# name, bytes in hexadecimal, CID of version 1
NODES = [
    ("empty", "", "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
    ("data_zero", "0a00", "bafybeiaqfni3s5s2k2r6rgpxz4hohdsskh44ka5tk6ztbjerqpvxwfkwaq"),
    (
        "data_some",
        "0a050001020304",
        "bafybeibazl2z4vqp2tmwcfag6wirmtpnomxknqcgrauj7m2yisrz3qjbom",
    ),
    (
        "one_link",
        "12240a2212207521fe19c374a97759226dc5c0c8e674e73950e81b211f7dd3b6b30883a08a51",
        "bafybeihyivpglm6o6wrafbe36fp5l67abmewk7i2eob5wacdbhz7as5obe",
    ),
    (
        "two_links_and_data",
        _TWO_LINKS,
        "bafybeibh647pmxyksmdm24uad6b5f7tx4dhvilzbg2fiqgzll4yek7g7y4",
    ),
    (
        "link_without_name",
        f"120b{_RAW}",
        "bafybeia53f5n75ituvc3yupuf7tdnxf6fqetrmo2alc6g6iljkmk7ys5mm",
    ),
    (
        "link_with_name",
        f"1216{_RAW}1209736f6d65206e616d65",
        "bafybeifq4hcxma3kjljrpxtunnljtc6tvbkgsy3vldyfpfbx2lij76niyu",
    ),
    (
        "link_with_empty_name",
        f"120d{_RAW}1200",
        "bafybeie7fstnkm4yshfwnmpp7d3mlh4f4okmk7a54d6c3ffr755q7qzk44",
    ),
    (
        "link_with_size",
        f"1214{_RAW}18ffffffffffffff0f",
        "bafybeiezymjvhwfuharanxmzxwuomzjjuzqjewjolr4phaiyp6l7qfwo64",
    ),
    (
        "link_with_size_zero",
        f"120d{_RAW}1800",
        "bafybeichjs5otecmbvwh5azdr4jc45mp2qcofh2fr54wjdxhz4znahod2i",
    ),
]

# bytes of content, CID of version 1 (raw leaves), CID of version 0
FILES = [
    (
        0,
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
    ),
    (
        1,
        "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu",
        "QmS9JArPwa55ePgDnyg6TzX24mYTS1b1vLqWNebyVotKxQ",
    ),
    (
        262_144,
        "bafkreic55qsu6nkihoak36r3i5uzzyyetgi46jany3f3e57ccvlkoyzdmi",
        "QmSTEinx4Xk88Y17hPzGncGrKeERQNfgjU9RQm5S2x7xLk",
    ),
    (
        262_145,
        "bafybeigi6b7obvqgkbrcienqnvinwyzqgjyf2q2hdkv5wr6rovjwr7jene",
        "QmbpGbbQwpY1uBjycUZZJXy2mV3kKFbd5fFAzhhisZWPbe",
    ),
    (
        600_000,
        "bafybeigpundmoqpqmkrmiistfw5p5ch7ehizxuinqekkev7ghvpgwehkvi",
        "QmWrVhTJ3Z9o4pXpwzbtu4MTMWFG5rE9ymuKhMuXihfLDL",
    ),
]


def pattern(size_bytes: int) -> bytes:
    """Return content that is the same everywhere."""
    return bytes(index * 7 % 251 for index in range(size_bytes))
