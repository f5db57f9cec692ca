"""What our outputs say of themselves, to people and to programs that sort pictures: that a network has painted them.

The term is IPTC's digital source type for pictures that a trained model has changed
(cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia), which news agencies and photo programs read in
XMP. Nothing of it depends on the moment, so the same work still gives the same bytes.
"""

from __future__ import annotations

from vidstyle._version import __version__

MARK = f"vidstyle {__version__}"
"""By which we know our own films; what begins with "vidstyle " in a comment or an encoder's name is ours."""
_TERM = "compositeWithTrainedAlgorithmicMedia"
STATEMENT = f"{MARK}: painted by neural style transfer (IPTC digital source type {_TERM})"
"""A sentence for comments."""

XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'xmp:CreatorTool="{MARK}" '
    f'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{_TERM}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
).encode()
"""The same as an XMP packet (ISO 16684-1)."""


def with_statement(comment: str) -> str:
    """A comment of the source, with ours after it on a line of its own; a former one of ours makes room."""
    kept = [line for line in comment.splitlines() if line.strip() and not line.startswith("vidstyle ")]
    return "\n".join([*kept, STATEMENT])
