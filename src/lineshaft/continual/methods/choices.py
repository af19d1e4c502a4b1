"""Every method of this package, for the union of a configuration."""

from lineshaft.continual.methods.agem import Agem
from lineshaft.continual.methods.der import Der, DerPlus
from lineshaft.continual.methods.ewc import Ewc
from lineshaft.continual.methods.gss import Gss
from lineshaft.continual.methods.hat import Hat
from lineshaft.continual.methods.joint import Joint
from lineshaft.continual.methods.lump import Lump
from lineshaft.continual.methods.lwf import Lwf
from lineshaft.continual.methods.pnn import Pnn
from lineshaft.continual.methods.si import Si
from lineshaft.continual.methods.slca import Slca

AnyMethod = Agem | Der | DerPlus | Ewc | Gss | Hat | Joint | Lump | Lwf | Pnn | Si | Slca
