"""Ask a trained model: python ask.py MODEL ITEM ..., the items that a guest likes."""

import sys

from lineshaft.recommend.models.model import load


def main(path: str, *basket: str) -> None:
    model = load(path)
    found = model.recommend(basket, k=5)
    for item, reason in zip(found.items, found.reasons):
        title = model.catalogue.title(model.catalogue.row[item])
        because = f", because of {reason.because} ({reason.kind})" if reason.because else ""
        print(f"{title}{because}")
        if reason.text:
            print(f"    {reason.text}")


if __name__ == "__main__":
    main(*sys.argv[1:])
