"""The minimax step in PyTorch: one pass of the generator, both gradients, both Adams, the average.

Without penalties and metrics, with the relativistic loss. It takes what `t2v_jax.gan.update` draws as inputs.
"""

import functools
import math
from typing import NamedTuple

import torch
from torch._functorch import config as functorch
from torch.nn.functional import pad, softplus
from torch.optim.lr_scheduler import LambdaLR
from twin_networks import Discriminator, Generator, leaves, take_over


class Draws(NamedTuple):
    """Noise [b, z]; frames painted and looked at, int; of hard attention and late starts, or None."""

    noise: torch.Tensor
    painted_frames: torch.Tensor
    scored_frames: torch.Tensor
    gumbel: torch.Tensor | None
    start_offsets: torch.Tensor | None


class Game:
    """Both networks, and what they lose."""

    def __init__(self, config, frames):
        self.generator, self.discriminator = Generator(config), Discriminator(config)
        self.config, self.frames = config.game, frames.computed

    def compile(self):
        """Compile all but the loop of the script, whose unrolled frames would take the compiler minutes."""
        torch.compiler.reset()
        # Both players' gradients pass through the same run of D, whose buffers must outlive the first.
        functorch.donated_buffer = False
        compiled = functools.partial(torch.compile, dynamic=False)
        generator = self.generator
        for name in ("mapping", "scene", "paint"):
            setattr(generator, name, compiled(getattr(generator, name)))
        self.discriminator = compiled(self.discriminator.__call__)

    def losses(self, generator, discriminator, batch, draws, contrast):
        """Both players' gradients, as lists in the order of `leaves`, and the terms of their losses.

        contrast: the weight of own over wrong captions in G's loss, a tensor.
        """
        noise, painted_frames, scored_frames, gumbel, start_offsets = draws
        real = batch["clip"][:, painted_frames].float() / 127.5 - 1
        fake, log_prob = self.generator(
            generator,
            batch["captions"],
            noise,
            self.frames,
            painted_frames,
            gumbel,
            start_offsets,
            self.config.max_start_offset,
        )
        real_logits, fake_logits = (
            self.discriminator(discriminator, clips, batch["with_negatives"], scored_frames)
            for clips in (real, fake)
        )
        wrong = wrong_captions(batch["caption_class"], batch["negative_classes"])
        real_own, fake_own = (logits.diagonal(dim1=1, dim2=2) for logits in (real_logits, fake_logits))
        mismatch, rival = (mismatched(real_logits, pairs).mean() for pairs in wrong)
        d_loss = softplus(fake_own - real_own).mean()
        played = softplus(real_own - fake_own).mean(0)
        lost = played + contrast * sum(mismatched(fake_logits, pairs) for pairs in wrong)
        regret = (lost - lost.mean()).detach()

        d_total = d_loss + self.config.mismatch_weight * (mismatch + rival)
        g_total = lost.mean() + (regret * log_prob).mean()
        d_gradient = torch.autograd.grad(d_total, leaves(discriminator), retain_graph=True)
        g_gradient = torch.autograd.grad(g_total, leaves(generator))
        terms = {
            "discriminator_loss": d_loss,
            "generator_loss": played.mean(),
            "mismatch_loss": mismatch,
            "hard_negative_loss": rival,
        }
        return g_gradient, d_gradient, {name: term.detach() for name, term in terms.items()}


def wrong_captions(caption_class, negative_classes):
    """Which captions ask for something else than a clip shows: of others, own rivals; [b, b + rb] twice."""
    clips, negatives = len(caption_class), len(negative_classes)
    different = (caption_class[:, None] != torch.cat([caption_class, negative_classes])).float()
    others = torch.arange(clips + negatives) < clips
    own = torch.eye(clips).repeat_interleave(negatives // clips, 1)
    return different * others, different * pad(own, (clips, 0))


def mismatched(logits, wrong):
    """What wrong captions [b, m] cost, by logits [judges, b, m]: [b]."""
    matched = logits.diagonal(dim1=1, dim2=2)[..., None]
    return (softplus(logits - matched) * wrong).sum(-1).mean(0) / wrong.sum(-1).clamp(min=1)


class Players:
    """Both players in training, from the parameters of flax: `step` updates them in place."""

    def __init__(self, config, frames, generator, discriminator):
        self.game, self.config, self.steps, self.total = Game(config, frames), config.game, 0, config.steps
        self.trees = [take_over(tree["params"]) for tree in (generator, discriminator)]
        self.leaves = [[leaf.requires_grad_() for leaf in leaves(tree)] for tree in self.trees]
        self.ema = [leaf.detach().clone() for leaf in self.leaves[0]]
        rates = config.optimizer.generator_learning_rate, config.optimizer.discriminator_learning_rate
        betas = config.optimizer.beta_1, config.optimizer.beta_2
        # Not fused: that reads strided gradients, such as the GRU's, in the wrong order.
        self.adams = [torch.optim.Adam(*pair, betas, foreach=True) for pair in zip(self.leaves, rates)]
        self.rates = [LambdaLR(adam, lambda step: _rate(config, step)) for adam in self.adams]

    def step(self, batch, draws):
        """One update; the terms of the losses before it."""
        contrast = torch.tensor(self.config.contrast_weight * (1 - self.steps / self.total))
        *gradients, terms = self.game.losses(*self.trees, batch, draws, contrast)
        for parameters, gradient, adam, rate in zip(self.leaves, gradients, self.adams, self.rates):
            for leaf, part in zip(parameters, gradient):
                leaf.grad = part
            adam.step()
            rate.step()
        decay = min(self.config.ema_decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(self.ema, self.leaves[0], 1 - decay)
        self.steps += 1
        return terms


def _rate(config, step):
    """Share of Adam's rate: warmed up, then a cosine."""
    wave = (1 + math.cos(math.pi * step / config.steps)) / 2
    warm = min(1, step / config.optimizer.warmup_steps)
    return warm * (
        config.optimizer.final_learning_rate_fraction
        + (1 - config.optimizer.final_learning_rate_fraction) * wave
    )
