//! What callees say: Russian at numbers of +7, English elsewhere.

use crate::simulator::draw::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    Russian,
    English,
}

impl Tongue {
    pub fn of_number(number: &str) -> Self {
        if number.trim_start_matches('+').starts_with('7') { Self::Russian } else { Self::English }
    }
}

/// One kind of sentence in both languages.
pub struct Words {
    russian: &'static [&'static str],
    english: &'static [&'static str],
}

impl Words {
    pub fn pick(&self, tongue: Tongue, dice: &Dice, purpose: &str, nth: u64) -> String {
        let from = match tongue {
            Tongue::Russian => self.russian,
            Tongue::English => self.english,
        };
        dice.pick(from, purpose, nth).to_owned()
    }
}

pub const HELLO: Words = Words {
    russian: &["Алло?", "Алло, слушаю.", "Алло, да.", "Алло, здравствуйте."],
    english: &["Hello?", "Hello, who is this?", "Hello, yes?"],
};

pub const ANSWERS: Words = Words {
    russian: &[
        "Да, удобно, говорите.",
        "Да, слушаю вас внимательно.",
        "Хорошо, а сколько это стоит?",
        "Так, понятно. А когда это можно сделать?",
        "Да, конечно.",
        "Минутку, сейчас посмотрю. Да, всё верно.",
        "А вы далеко находитесь?",
        "Давайте завтра после обеда.",
        "Угу, хорошо.",
        "Да, меня это устраивает.",
        "Расскажите, пожалуйста, подробнее.",
        "Наверное, да. А какие у вас условия?",
        "Нет, такого у нас пока не было.",
        "Можно и по телефону, мне всё равно.",
        "Хорошо, записала.",
        "А скидка какая-нибудь есть?",
    ],
    english: &[
        "Yes, go ahead.",
        "Sure, I am listening.",
        "Okay, and how much does it cost?",
        "I see. And when could that be done?",
        "Yes, of course.",
        "One moment, let me check. Yes, that is right.",
        "Tomorrow afternoon would be fine.",
        "All right, that works for me.",
        "Could you tell me a little more?",
        "Probably yes. What are the terms?",
        "No, we have not had that yet.",
        "Is there any discount?",
    ],
};

pub const NUDGES: Words = Words {
    russian: &["Алло, вы меня слышите?", "Алло? Вы ещё здесь?"],
    english: &["Hello, can you hear me?", "Hello? Are you still there?"],
};

pub const ENOUGH: Words = Words {
    russian: &["Извините, мне это неинтересно, до свидания.", "Мне сейчас некогда, всего доброго."],
    english: &["Sorry, I am not interested, goodbye.", "I have no time for this now, bye."],
};

pub const FAREWELLS: Words = Words {
    russian: &["До свидания.", "Спасибо, до свидания."],
    english: &["Goodbye.", "Thank you, bye."],
};

pub const NEVER_AGAIN: Words = Words {
    russian: &[
        "Больше мне никогда не звоните, уберите мой номер из базы.",
        "Не звоните мне больше, пожалуйста, и удалите мой номер.",
    ],
    english: &[
        "Please never call me again, take me off your list.",
        "Do not call me again, remove my number from your list.",
    ],
};

pub const INTERRUPTIONS: Words = Words {
    russian: &[
        "Подождите, подождите, а вы кто вообще?",
        "Нет, послушайте, я ещё не договорила.",
        "Да-да, это я уже поняла.",
    ],
    english: &["Wait, wait, who are you anyway?", "No, listen, I have not finished.", "Yes, yes, I know that already."],
};

pub const MACHINE: Words = Words {
    russian: &[
        "Здравствуйте! Сейчас никто не может ответить на ваш звонок. Оставьте сообщение после звукового сигнала.",
        "Абонент не может ответить на ваш звонок. Вы можете оставить голосовое сообщение после сигнала.",
    ],
    english: &[
        "Hi! Nobody can take your call right now. Please leave a message after the tone.",
        "The person you are calling is not available. Please record your message after the beep.",
    ],
};

pub const ANNOUNCEMENT: Words = Words {
    russian: &["Абонент разговаривает. Пожалуйста, перезвоните позднее."],
    english: &["The line is busy. Please try again later."],
};

/// Words by which a callee knows that the agent is saying goodbye.
pub fn is_farewell(text: &str) -> bool {
    let text = text.to_lowercase();
    ["до свидания", "всего доброго", "всего хорошего", "хорошего дня", "goodbye", "bye", "have a nice day"]
        .iter()
        .any(|word| text.contains(word))
}
