/// One call as it is shown: its registers, what they hold, and how it ended.
struct CallArguments {
    var registers: InlineArray<6, UInt>
    var kinds: InlineArray<6, Argument>
    /// What the call returned; negative for an error. Looked at only after the call.
    var result = 0

    /// Takes a row's kinds, and for calls whose arguments depend on others those that are meant.
    init(_ registers: InlineArray<6, UInt>, _ kinds: InlineArray<6, Argument>) {
        self.registers = registers
        self.kinds = kinds
        for index in 0..<6 {
            switch kinds[index] {
            case .futexOperation: resolveFutex(index)
            case .fileControl: resolveNext(index, CallArguments.fileControlArgument)
            case .ioctlRequest: resolveNext(index, CallArguments.requestArgument)
            case .processControl: resolveNext(index, CallArguments.processControlArgument)
            case .openFlags: hideUnusedMode(index)
            default: break
            }
        }
    }

    var failed: Bool { CallArguments.isError(result) }

    static func isError(_ result: Int) -> Bool { result < 0 && result >= -4095 }

    /// Whether an argument is shown when the call has returned.
    func isShownAfter(_ index: Int) -> Bool {
        switch kinds[index] {
        case .output, .outputVector, .descriptorPair, .integerResult, .pathResult, .stringResult,
            .fileStatusResult, .statxResult, .fileSystemStatusResult, .directoryEntriesResult,
            .epollEventsResult, .lockRecordResult, .windowSizeResult, .terminalResult,
            .signalSetResult, .signalActionResult, .signalStackResult, .signalInformationResult,
            .resourceLimitResult, .usageResult, .waitStatusResult, .processorSetResult,
            .systemNameResult, .systemInformationResult, .timeResult, .timeRemaining,
            .timeValueResult, .timerValueResult, .intervalValueResult, .socketAddressResult,
            .messageHeaderResult:
            true
        default: false
        }
    }

    // MARK: Arguments that depend on others

    private mutating func resolveNext(_ index: Int, _ kind: (UInt, Argument) -> Argument) {
        guard index < 5 else { return }
        let selector = UInt(UInt32(truncatingIfNeeded: registers[index]))
        kinds[index + 1] = kind(selector, kinds[index + 1])
    }

    /// A mode is read only by those that may create a file.
    private mutating func hideUnusedMode(_ index: Int) {
        guard index < 5, kinds[index + 1] == .mode else { return }
        if registers[index] & 0x40 == 0, registers[index] & 0x41_0000 != 0x41_0000 {
            kinds[index + 1] = .none
        }
    }

    /// fcntl(2)
    private static func fileControlArgument(_ command: UInt, _ kind: Argument) -> Argument {
        switch command {
        case 1, 3, 9, 11, 0x401, 0x408, 0x40a: .none
        case 0, 0x406, 0x407, 8: .integer
        case 2: .descriptorOptions
        case 4: .openFlags
        case 5, 0x24: .lockRecordResult
        case 6, 7, 0x25, 0x26: .lockRecord
        default: .hexadecimal
        }
    }

    /// ioctl(2)
    private static func requestArgument(_ request: UInt, _ kind: Argument) -> Argument {
        switch request {
        case 0x5401, 0x802c_542a: .terminalResult
        case 0x5402, 0x5403, 0x5404, 0x402c_542b, 0x402c_542c, 0x402c_542d: .terminal
        case 0x5413: .windowSizeResult
        case 0x5414: .windowSize
        case 0x540f, 0x5411, 0x541b, 0x5429, 0x8004_5430: .integerResult
        case 0x5450, 0x5451: .none
        case 0x5409, 0x540a, 0x540b, 0x540e: .integer
        default: kind == .none ? .none : .address
        }
    }

    /// prctl(2)
    private static func processControlArgument(_ option: UInt, _ kind: Argument) -> Argument {
        switch option {
        case 1: .signal
        case 15: .string
        case 16: .stringResult
        case 3, 7, 21, 27, 30, 39, 42: .none
        default: kind
        }
    }

    /// futex(2)
    private mutating func resolveFutex(_ index: Int) {
        guard index <= 1 else { return }
        let operation = registers[index] & 0x7f
        var value = Argument.integer
        var third = Argument.none
        var fourth = Argument.none
        var fifth = Argument.none
        switch operation {
        case 0: third = .time
        case 3: (third, fourth) = (.integer, .address)
        case 4, 12: (third, fourth, fifth) = (.integer, .address, .integer)
        case 5: (third, fourth, fifth) = (.integer, .address, .hexadecimal)
        case 6, 13: (value, third) = (.none, .time)
        case 7, 8: value = .none
        case 9: (third, fifth) = (.time, .futexBits)
        case 10: fifth = .futexBits
        case 11: (third, fourth) = (.time, .address)
        default: break
        }
        kinds[index + 1] = value
        kinds[index + 2] = third
        kinds[index + 3] = fourth
        if index + 4 < 6 { kinds[index + 4] = fifth }
    }
}
