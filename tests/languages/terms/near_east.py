"""The decided words of Turkish, Arabic and Hebrew, and what must not be written in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "tr": {
        "oturum aç": r"\bgiriş yap|\blogin ol",
        "e-posta": r"\beposta|\b(?:bir|bu) e-?mail",
        "geçiş anahtarı": r"\b(?:erişim|güvenlik|parola) anahtar|\bpasskey\w*\b(?!\()",
        "kimlik doğrulama uygulaması": r"\bkimlik doğrulayıcı|\bdoğrulayıcı uyg",
        "ikinci faktör": r"\biki (?:faktörlü|adımlı|aşamalı)|\bikinci (?:etken|adım)|2FA",
        "kurtarma kodu": r"\byedek(?:leme)? kod|\bkurtarma şifre",
        "SMS": r"\bkısa mesaj|\bmetin mesaj",
        "bağlantı": r"(?-i:\blink(?:i|ler)\b)",
        "kuruluş": r"\borganizasyon",
        "siz": r"\b(?:sen|senin|sana|seni)\b",
    },
    "ar": {
        "تسجيل الدخول": r"الولوج",
        "البريد الإلكتروني": r"[إا]يميل",
        "مفتاح المرور": r"مف(?:تاح|اتيح) الوصول|passkey",
        "تطبيق المصادقة": r"تطبيق (?:التحقق|التوثيق)|أداة المصادقة",
        "العامل الثاني": r"المصادقة الثنائية|خطوتين|2FA",
        "رمز الاسترداد": r"(?:رمز|رموز) الاستعادة|(?:الرموز الا|رموز ا|رمز ا)حتياطي",
        "مؤسسة": r"منظمة|منشأة",
        "رسالة نصية": r"إس إم إس",
        "رمز": r"\bال?كود\b|\bكود\b",
        "،": r"[\u0600-\u06ff],",
        "؟": r"[\u0600-\u06ff]\?",
    },
    "he": {
        "אימייל": r"דוא״ל|דואל\b|אי-מייל|\bמייל",
        "מפתח גישה": r"מפתחות? (?:כניסה|סיסמה|אבטחה)|passkey",
        "אפליקציית אימות": r"יישום|יישומון",
        "אמצעי אימות שני": r"דו[- ]שלבי|גורם (?:שני|נוסף)|פקטור|2FA",
        "קוד שחזור": r"(?:קוד|קודי) גיבוי",
        "הודעת SMS": r"מסרון|סמס|הודעות? טקסט",
        "קישור": r"לינק",
    },
}
