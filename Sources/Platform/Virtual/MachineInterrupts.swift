import Interruption
import Platform

/// Exceptions and interrupts of the machine. Each arrives on an interrupt stack with interrupts off,
/// and leaves it before anything else can arrive there.
enum MachineInterrupts {
    static func take(_ vector: UInt64, _ registers: Interruption.Registers) {
        switch vector {
        case InterruptController.timerVector:
            InterruptController.endInterrupt()
            takeInterrupt(UInt32(CPU_PENDING_TIMER), registers)
        case InterruptController.deviceVectors:
            MachineDevices.takeInterrupt(vector)
            InterruptController.endInterrupt()
            takeInterrupt(0, registers)
        case InterruptController.spuriousVector: break
        case UInt64(FIRST_INTERRUPT)...:
            InterruptController.endInterrupt()
        case UInt64(VECTOR_PAGE_FAULT.rawValue): takePageFault(registers)
        case UInt64(VECTOR_DEBUG.rawValue) where InstructionCount.isOn:
            InstructionCount.take(registers)
        case 2: takeWatchdog(registers)
        case 8: MachinePanic.end("double fault", registers)
        case 18: MachinePanic.end("machine check", registers)
        default:
            takeException(registers, vector, address: registers.pointee.rip, error: 0)
        }
    }

    /// The program goes on where it was, by way of the kernel; the kernel is only told.
    static func takeInterrupt(_ work: UInt32, _ registers: Interruption.Registers) {
        cpu_set_pending(work)
        guard boot_cpu.pending != 0 else { return }
        if Interruption.isKernelCode(registers.pointee.rip) {
            Interruption.stepBack(registers)
        } else {
            Interruption.enterKernel(registers)
        }
    }

    private static func takePageFault(_ registers: Interruption.Registers) {
        let address = fault_address()
        var error = registers.pointee.error
        if machine_boot_information().pointee.user_end > address {
            let outcome = AddressTranslation.resolve(
                address,
                write: error & UInt64(PAGE_FAULT_WRITE.rawValue) != 0,
                fetch: error & UInt64(PAGE_FAULT_FETCH.rawValue) != 0
            )
            switch outcome {
            case .resolved: return
            case .beyondFile: error |= UInt64(PAGE_FAULT_BEYOND_FILE.rawValue)
            case .outOfMemory: error |= UInt64(PAGE_FAULT_OUT_OF_MEMORY.rawValue)
            case .refused: break
            }
        }
        // Ring 0 runs the program; its faults are told as those of a program.
        error |= UInt64(PAGE_FAULT_USER.rawValue)
        takeException(
            registers,
            UInt64(VECTOR_PAGE_FAULT.rawValue),
            address: address,
            error: error
        )
    }

    private static func takeException(
        _ registers: Interruption.Registers,
        _ vector: UInt64,
        address: UInt64,
        error: UInt64
    ) {
        guard Interruption.takeException(registers, vector, address: address, error: error) else {
            MachinePanic.end(vector, address: address, registers)
        }
    }

    /// `unirun` got no answer for seconds, and sent what cannot be turned off. A program that keeps
    /// interrupts off gets what it gets for that in a process; a kernel that does is broken.
    private static func takeWatchdog(_ registers: Interruption.Registers) {
        guard !Interruption.isKernelCode(registers.pointee.rip) else {
            MachinePanic.end("the kernel does not answer", registers)
        }
        let interruptFlag: UInt64 = 0x200
        registers.pointee.rflags |= interruptFlag
        Interruption.enterException(
            registers,
            UInt64(VECTOR_GENERAL_PROTECTION.rawValue),
            address: 0,
            error: 0
        )
    }
}

@c(machine_interrupt)
func machineInterrupt(_ vector: UInt64, _ registers: UnsafeMutablePointer<interrupt_registers>) {
    MachineInterrupts.take(vector, registers)
    Interruption.prepareLeave(registers)
}
