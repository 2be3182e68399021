"""Collective operations, read from the texts that XLA writes."""

import pytest

from fjax.training.collectives import Collective, collectives, readable_size

pytestmark = pytest.mark.short


def program(*lines, before=""):
    body = "\n".join(f"  {line}" for line in lines)
    entry = f"ENTRY %main.1 (x: f32[4]) -> f32[4] {{\n{body}\n}}\n"
    return f"HloModule jit_f, is_scheduled=true\n\n{before}\n{entry}"


@pytest.mark.parametrize(
    ("groups", "devices"),
    [
        ("replica_groups={{0,1,2,3},{4,5,6,7}}", 4),
        ("replica_groups=[2,4]<=[8]", 4),
        ("replica_groups=[4,2]<=[2,4]T(1,0)", 2),
        ("replica_groups=mesh['axis_0'=2,'axis_1'=1,'axis_2'=4] {'axis_2'}", 4),
        ("replica_groups=mesh['axis_0'=2,'axis_1'=4] {'axis_0','axis_1'}", 8),
    ],
)
def test_groups(groups, devices):
    line = f"%r = f32[32,8]{{1,0}} all-reduce(%x), channel_id=1, {groups}, to_apply=%add"
    assert collectives(program(line)) == (Collective("all-reduce", devices, 1, 32 * 8 * 4),)


def test_several_arrays_and_dtypes():
    line = (
        "ROOT %r = (f32[], bf16[3,2]{1,0}, /*index=2*/pred[5]{0}) all-reduce(%a, %b, %c), "
        "replica_groups={{0,1}}, to_apply=%add"
    )
    assert collectives(program(line)) == (Collective("all-reduce", 2, 1, 4 + 12 + 5),)


@pytest.mark.parametrize(
    ("line", "size", "sent"),
    [
        ("f32[4]{0} reduce-scatter(%x), replica_groups=[1,8]<=[8], dimensions={0}", 128, 112),
        ("f32[32]{0} all-gather(%x), replica_groups=[1,8]<=[8], dimensions={0}", 128, 112),
        (
            "(f32[4]{0}, f32[32]{0}) all-gather-start(%x), replica_groups=[1,8]<=[8], "
            "dimensions={0}", 128, 112,
        ),
        ("f32[32]{0} all-reduce-start(%x), replica_groups=[1,8]<=[8], to_apply=%add", 128, 224),
        ("f32[32]{0} all-reduce-done(%x)", 0, 0),
        (
            "(f32[4]{0}, f32[4]{0}, u32[], u32[]) collective-permute-start(%x), "
            "source_target_pairs={{0,1},{1,0}}", 16, 16,
        ),
    ],
)  # fmt: skip
def test_bytes(line, size, sent):
    found = collectives(program(f"%r = {line}"))
    assert sum(each.size for each in found) == size
    assert sum(each.sent for each in found) == sent


def test_operations_in_loops_count_as_often_as_they_run():
    text = program(
        "%w = (s32[], f32[4]{0}) while(%t), condition=%cond.2, body=%body.1, "
        'backend_config={"known_trip_count":{"n":"12"}}',
        "%u = f32[4]{0} while(%t), condition=%cond.2, body=%body.1",
        before=(
            "%body.1 (p: (s32[], f32[4])) -> (s32[], f32[4]) {\n"
            "  %c = f32[4]{0} call(%p), to_apply=%inner\n}\n\n"
            "%inner (p: f32[4]) -> f32[4] {\n"
            "  ROOT %g = f32[4]{0} all-gather(%p), replica_groups=[1,2]<=[2], dimensions={0}\n}\n\n"
            "%cond.2 (p: (s32[], f32[4])) -> pred[] {\n  ROOT %l = pred[] compare(%p, %p)\n}\n"
        ),
    )
    assert collectives(text) == (Collective("all-gather", 2, 13, 13 * 16),)


def test_sizes_are_readable():
    assert readable_size(0) == "0 bytes" and readable_size(3e15) == "3000.0 TB"
