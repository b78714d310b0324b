from __future__ import annotations

import hashlib
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from readingroom.ledger import merkle

# The leaves and roots that Certificate Transparency's own tests use.
CT_LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SMALL = 70  # crosses 64: perfect trees, one more, one less, and several peaks


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(i).encode()) for i in range(count)]


def naive_root(hashes: list[bytes]) -> bytes:
    """MTH as RFC 6962 writes it, with nothing clever."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(hashes[:k]) + naive_root(hashes[k:])).digest()


ROOTS = [naive_root(leaves(n)) for n in range(SMALL + 1)]


def test_roots_are_those_of_certificate_transparency() -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in CT_LEAVES]
    assert [merkle.root(hashes[: n + 1]).hex() for n in range(8)] == CT_ROOTS
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_path_of_certificate_transparency_is_found_and_holds() -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in CT_LEAVES]
    path = merkle.inclusion_path(merkle.over(hashes), 0, 8)
    assert [each.hex() for each in path] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert merkle.verify_inclusion(hashes[0], 0, 8, path, bytes.fromhex(CT_ROOTS[7]))


def test_every_root_of_a_small_tree_is_the_one_of_the_rfc() -> None:
    assert [merkle.root(leaves(n)) for n in range(SMALL + 1)] == ROOTS


def test_every_inclusion_proof_of_a_small_tree_holds_here_and_for_another_reader() -> None:
    hashes = leaves(SMALL)
    hash_of = merkle.over(hashes)
    for size in range(1, SMALL + 1):
        for index in range(size):
            path = merkle.inclusion_path(hash_of, index, size)
            assert merkle.verify_inclusion(hashes[index], index, size, path, ROOTS[size])
            InclusionProof(index, size, list(path)).check(hashes[index], ROOTS[size])


def test_every_consistency_proof_of_a_small_tree_holds_here_and_for_another_reader() -> None:
    hash_of = merkle.over(leaves(SMALL))
    for new in range(SMALL + 1):
        for old in range(new + 1):
            path = merkle.consistency_path(hash_of, old, new)
            assert merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], path)
            ConsistencyProof(old, new, list(path)).check(ROOTS[old], ROOTS[new])


def test_no_inclusion_proof_holds_for_another_place_size_or_leaf() -> None:
    hashes = leaves(20)
    hash_of = merkle.over(hashes)
    for size in range(1, 21):
        for index in range(size):
            path = merkle.inclusion_path(hash_of, index, size)
            for other in range(-1, 22):
                if other != index:
                    assert not merkle.verify_inclusion(hashes[index], other, size, path, ROOTS[size])
                if other not in (index, size):
                    assert not merkle.verify_inclusion(hashes[other % 20], index, size, path, ROOTS[size]) or (
                        other % 20 == index
                    )
            assert not merkle.verify_inclusion(hashes[index], index, size, (*path, hashes[0]), ROOTS[size])
            assert not path or not merkle.verify_inclusion(hashes[index], index, size, path[:-1], ROOTS[size])


def test_no_consistency_proof_holds_between_other_roots_or_with_hashes_more_or_less() -> None:
    hash_of = merkle.over(leaves(20))
    for new in range(1, 21):
        for old in range(1, new):
            path = merkle.consistency_path(hash_of, old, new)
            assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new + 1], path)
            assert not merkle.verify_consistency(old, new, ROOTS[old - 1], ROOTS[new], path)
            assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], path[:-1])
            assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], (*path, path[-1]))
            assert not merkle.verify_consistency(new, old, ROOTS[new], ROOTS[old], path)
    assert not merkle.verify_consistency(0, 5, ROOTS[1], ROOTS[5], ())
    assert not merkle.verify_consistency(5, 5, ROOTS[5], ROOTS[4], ())


def test_what_is_not_in_a_tree_has_no_path() -> None:
    hash_of = merkle.over(leaves(5))
    with pytest.raises(ValueError, match="no leaf 5"):
        merkle.inclusion_path(hash_of, 5, 5)
    with pytest.raises(ValueError, match="no prefix"):
        merkle.consistency_path(hash_of, 6, 5)


@given(st.lists(st.binary(max_size=8), max_size=300), st.data())
def test_any_leaf_of_any_tree_is_proved_and_any_flipped_bit_is_seen(items: list[bytes], data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(each) for each in items]
    root = merkle.root(hashes)
    assert root == naive_root(hashes)
    if not hashes:
        return
    index = data.draw(st.integers(0, len(hashes) - 1))
    path = merkle.inclusion_path(merkle.over(hashes), index, len(hashes))
    assert merkle.verify_inclusion(hashes[index], index, len(hashes), path, root)
    if path:
        where = data.draw(st.integers(0, len(path) - 1))
        bit = data.draw(st.integers(0, 255))
        bent = (int.from_bytes(path[where]) ^ 1 << bit).to_bytes(32)
        assert not merkle.verify_inclusion(
            hashes[index], index, len(hashes), (*path[:where], bent, *path[where + 1 :]), root
        )


@given(st.integers(0, 400), st.integers(0, 400), st.data())
def test_any_prefix_is_proved_and_a_rewritten_one_never_is(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    hashes = leaves(new)
    path = merkle.consistency_path(merkle.over(hashes), old, new)
    old_root, new_root = merkle.root(hashes[:old]), merkle.root(hashes)
    assert merkle.verify_consistency(old, new, old_root, new_root, path)
    if old:
        altered = data.draw(st.integers(0, old - 1))
        rewritten = [*hashes[:altered], merkle.leaf_hash(b"rewritten"), *hashes[altered + 1 :]]
        forged = merkle.consistency_path(merkle.over(rewritten), old, new)
        assert not merkle.verify_consistency(old, new, old_root, merkle.root(rewritten), forged)


@given(st.integers(0, 2000))
def test_a_frontier_survives_being_stored_and_has_a_peak_per_bit(size: int) -> None:
    tree = merkle.Frontier()
    for each in leaves(size):
        tree = tree.append(each)
    assert len(tree.peaks) == size.bit_count()
    assert merkle.Frontier.from_bytes(size, tree.to_bytes()) == tree


@pytest.mark.parametrize(("size", "data"), [(3, bytes(32)), (0, bytes(32)), (1, bytes(31)), (-1, b"")])
def test_a_frontier_that_does_not_fit_its_size_is_refused(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match="no frontier"):
        merkle.Frontier.from_bytes(size, data)


def test_a_hash_of_the_wrong_length_proves_nothing() -> None:
    one, two = leaves(2)
    assert not merkle.verify_inclusion(one, 0, 2, (two + b"x",), merkle.node_hash(one, two + b"x"))
    assert not merkle.verify_consistency(1, 2, one, merkle.node_hash(one, two[:-1]), (two[:-1],))


def test_a_leaf_never_passes_as_a_node() -> None:
    one, two = leaves(2)
    assert merkle.leaf_hash(one + two) != merkle.node_hash(one, two)
    assert b64decode("bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=") == merkle.leaf_hash(b"")
