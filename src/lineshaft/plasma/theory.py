"""What a simulation of a known case must show, and how the same quantity is read from its fields."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import wofz


def plasma_frequency(density: float) -> float:
    """Cold Langmuir oscillation, in omega0, for a density in n_c."""
    return float(np.sqrt(density))


def two_stream_growth(density: float, speed: float, wavenumber: float) -> float:
    """Growth rate, in omega0, of two equal cold beams, +- speed (c), through a fixed background.

    Roots of 1 = sum over the beams of (omega_b^2 / gamma^3) / (omega -+ k v)^2 with omega_b^2 = density / 2;
    the gamma^3 is the beam's mass along its motion. The largest rate is omega_p / sqrt(8) gamma^-1.5 = .3536
    omega_p for slow beams, at k v = sqrt(3/8) omega_p gamma^-1.5.
    """
    strength, shift = density / 2 * (1 - speed**2) ** 1.5, (wavenumber * speed) ** 2
    # with w = omega^2: (w - s)^2 = 2 strength (w + s)
    w = np.roots([1.0, -2 * shift - 2 * strength, shift**2 - 2 * strength * shift])
    return float(np.sqrt(w.astype(complex)).imag.max())


def fastest_mode(density: float, speed: float) -> float:
    """Wavenumber, in omega0 / c, of the fastest-growing two-stream mode."""
    return float(np.sqrt(3 / 8 * density * (1 - speed**2) ** 1.5) / speed)


def mode(along: np.ndarray) -> np.ndarray:
    """Amplitude of the sine of one wavelength a box, for each row of Ex [rows, cells]."""
    cells = along.shape[1]
    return 2 / cells * along @ np.sin(2 * np.pi * (np.arange(cells) + 0.5) / cells)


def frequency(time: np.ndarray, signal: np.ndarray) -> float:
    """Angular frequency of a sampled cosine: the least-squares fit of a sine, a cosine and a constant."""

    def misfit(omega: float) -> float:
        basis = np.stack([np.cos(omega * time), np.sin(omega * time), np.ones_like(time)], 1)
        return float(np.square(signal - basis @ np.linalg.lstsq(basis, signal, rcond=None)[0]).sum())

    spacing = 2 * np.pi / (time[-1] - time[0])
    spectrum = np.abs(np.fft.rfft(signal - signal.mean()))
    guess = spectrum.argmax() * spacing * (len(time) - 1) / len(time)
    near = (max(guess - spacing, spacing / 10), guess + spacing)
    return float(minimize_scalar(misfit, bounds=near, method="bounded", options={"xatol": 1e-9}).x)


def growth(time: np.ndarray, energy: np.ndarray) -> float:
    """Growth rate of an amplitude whose energy is given: the slope between 1e-6 and 1e-2 of the peak.

    Earlier the other roots still beat against the growing one; later the beams trap. Raises ValueError where
    the energy does not pass through these four decades, or has not stopped growing: a kick too large, a run
    too short.
    """
    peak = int(energy.argmax())
    late = energy[int(0.95 * (energy.size - 1))]
    if peak > 0.97 * (energy.size - 1) and energy[-1] > 1.1 * late:
        raise ValueError(
            "the field is still growing at the end, so its growth rate is unknown: raise case.time"
        )
    window = slice(int(np.argmax(energy > 1e-6 * energy[peak])), int(np.argmax(energy > 1e-2 * energy[peak])))
    if window.start == 0 or window.stop - window.start < 3:
        raise ValueError("the field does not grow by four decades: lower the kick or raise case.time")
    return float(np.polyfit(time[window], 0.5 * np.log(energy[window]), 1)[0])


def langmuir_root(k_debye: float) -> complex:
    """Frequency and damping (omega_p) of the least damped wave of a Maxwellian, k in 1 / lambda_D.

    Newton's method from the Bohm-Gross frequency; Z is the plasma dispersion function, i sqrt(pi) w(zeta).
    """

    def dispersion(omega: complex) -> complex:
        zeta = omega / (np.sqrt(2) * k_debye)
        z = 1j * np.sqrt(np.pi) * wofz(zeta)
        return complex(1 + (1 + zeta * z) / k_debye**2)

    omega = complex(np.sqrt(1 + 3 * k_debye**2), -0.05)
    for _ in range(50):
        slope = (dispersion(omega + 1e-6) - dispersion(omega - 1e-6)) / 2e-6
        omega -= dispersion(omega) / slope
    return omega


def weibel_growth(density: float, speed: float, wavenumber: float) -> float:
    """Growth, in omega0, of the field of two equal cold beams (+- speed, c) across the wave vector.

    omega^2 = k^2 + omega_p^2 / gamma^3 + (omega_p^2 / gamma) k^2 v^2 / omega^2: along the beams an electron
    weighs gamma^3, across them gamma.
    """
    gamma, k = 1 / np.sqrt(1 - speed**2), wavenumber
    b, c = k * k + density / gamma**3, density / gamma * (k * speed) ** 2
    return float(np.sqrt((np.sqrt(b * b + 4 * c) - b) / 2))


def hole_boring_speed(a0: float, density: float, mass: float, reflected: float) -> float:
    """Speed (c) of a piston that light drives into ions: Pi / (1 + Pi), Pi^2 = (1 + R) / 2 a0^2 / (2 n m)."""
    push = np.sqrt((1 + reflected) / 2 * a0**2 / (2 * density * mass))
    return float(push / (1 + push))
