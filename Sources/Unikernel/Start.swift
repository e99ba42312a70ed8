import Kernel
import Platform
import ProcessPlatform
import SyscallShim
